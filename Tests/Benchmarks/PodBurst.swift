/// Many pods at once: until all run, and until all are gone.
struct PodBurst: Sendable {
    let count: Int
    private var running: [Double] = []
    private var gone: [Double] = []

    init(count: Int) {
        self.count = count
    }

    mutating func create(_ workload: PodWorkload, _ index: Int) async throws {
        let names = names(index)
        let elapsed = try await ContinuousClock().measure {
            try await Self.each(names) { try await workload.create($0) }
            try await workload.waitUntilRunning(names)
        }
        running.append(elapsed.milliseconds)
    }

    mutating func delete(_ workload: PodWorkload, _ index: Int) async throws {
        let names = names(index)
        let elapsed = try await ContinuousClock().measure {
            try await Self.each(names) { try await workload.delete($0) }
            try await workload.waitUntilGone(names)
        }
        gone.append(elapsed.milliseconds)
    }

    var rows: [MeasureRow] {
        [
            MeasureRow(
                "\(count) pods created at once → all Running", "swiftlet", .milliseconds, Samples(running), goal: 1000),
            MeasureRow(
                "\(count) pods deleted at once → all gone", "swiftlet", .milliseconds, Samples(gone), goal: 2000),
        ]
    }

    private func names(_ index: Int) -> [String] { (0..<count).map { "burst-\(index)-\($0)" } }

    private static func each(_ names: [String], _ body: @escaping @Sendable (String) async throws -> Void) async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names { group.addTask { try await body(name) } }
            try await group.waitForAll()
        }
    }
}
