import LinuxKernel

/// What reading a node's figures costs it, with many pods.
struct ScrapeMeasure: Measure {
    let name = "scrape"

    private static let podCount = 100
    /// The agent's CPU time is told in hundredths of a second: many scrapes make the average a fine one.
    private static let scrapes = 30
    private static let pages: [(path: String, goal: Double)] = [
        ("/metrics/cadvisor", 40), ("/metrics/resource", 50), ("/stats/summary", 50), ("/metrics", 50),
    ]

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await PodWorkload.with(scope, name) { workload in
            try await workload.createAll((0..<Self.podCount).map { "scraped-\($0)" })
            try await Task.sleep(for: .seconds(2))
            var rows: [MeasureRow] = []
            for (path, goal) in Self.pages {
                Progress.say("scraping \(path) of \(Self.podCount) pods …")
                rows.append(try await Self.row(path, goal: goal, workload.node))
            }
            return rows
        }
    }

    private static func row(_ path: String, goal: Double, _ node: NodeUnderTest) async throws -> MeasureRow {
        // The first makes what later ones find.
        _ = try await node.socket.get(path)
        var (cpu, bytes) = (0.0, 0)
        for _ in 0..<scrapes {
            // A reading is shared for a second: each scrape shall pay for its own.
            try await Task.sleep(for: .milliseconds(1100))
            let before = try ResourceUsage.cpuMilliseconds(ofProcess: node.pid)
            bytes = try await node.socket.get(path).count
            cpu += try ResourceUsage.cpuMilliseconds(ofProcess: node.pid) - before
        }
        return MeasureRow(
            "CPU of a scrape of \(path), \(podCount) pods, \(bytes >> 10) KiB", "swiftlet", .milliseconds,
            Samples([cpu / Double(scrapes)]), goal: goal)
    }
}
