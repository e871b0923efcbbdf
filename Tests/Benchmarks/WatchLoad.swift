import KubernetesAPI
import KubernetesClient
import Synchronization

/// As many watchers as objects, each of one of them, while the objects are written at a steady rate.
struct WatchLoad: Sendable {
    private static let watcherCount = 1_000
    private static let writesPerSecond = 1_000
    private static let seconds = 10
    private static let writerCount = 64
    /// Watches that are opened at once: a thousand TLS handshakes together would wait for each other.
    private static let openingCount = 32
    private static let namespace = "default"
    /// What a watcher looks for in what arrives: the moment at which the write was due.
    private static let mark = Array("\"due\":\"".utf8)

    /// What the watchers saw, in milliseconds from the moment a write was due until it arrived.
    private final class Arrivals: Sendable {
        private let delays = Mutex<[Double]>([])
        private let opened = Mutex(0)

        /// Watchers that have been sent their object as it was at the start.
        var openedCount: Int { opened.withLock { $0 } }

        func noteOpening() { opened.withLock { $0 += 1 } }

        func note(_ chunk: [UInt8]) {
            let now = ResourceUsage.wallNanoseconds
            var seen: [Double] = []
            var rest = chunk[...]
            while let start = rest.firstIndex(of: UInt8(ascii: "\"")) {
                rest = rest[start...]
                guard rest.starts(with: WatchLoad.mark) else {
                    rest = rest.dropFirst()
                    continue
                }
                rest = rest.dropFirst(WatchLoad.mark.count)
                let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                if let due = Int64(String(decoding: digits, as: UTF8.self)), due > 0 {
                    seen.append(ResourceUsage.milliseconds(from: due, to: now))
                }
            }
            let found = seen
            delays.withLock { $0 += found }
        }

        var all: [Double] { delays.withLock { $0 } }
    }

    func rows(_ endpoint: EndpointUnderTest) async throws -> [MeasureRow] {
        let client = endpoint.client
        try await everyone { try await create($0, client) }
        let arrivals = Arrivals()
        let writes = Self.writesPerSecond * Self.seconds
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            for index in 0..<Self.watcherCount {
                group.addTask { try await watch(index, client, arrivals) }
                guard (index + 1) % Self.openingCount == 0 || index + 1 == Self.watcherCount else { continue }
                try await Deadline.within(.seconds(30), "\(index + 1) watches to open") {
                    arrivals.openedCount > index
                }
            }
            let cpu = try ResourceUsage.cpuMilliseconds(ofProcess: endpoint.pid)
            let begin = ResourceUsage.wallNanoseconds
            try await load(client, from: begin)
            let took = ResourceUsage.milliseconds(from: begin, to: ResourceUsage.wallNanoseconds)
            try await Deadline.within(.seconds(60), "the last of \(writes) writes to reach its watcher") {
                arrivals.all.count >= writes
            }
            let used = try ResourceUsage.cpuMilliseconds(ofProcess: endpoint.pid) - cpu
            return Self.rows(Samples(arrivals.all), took: took, writes: writes, cpu: used)
        }
    }

    private static func rows(_ delays: Samples, took: Double, writes: Int, cpu: Double) -> [MeasureRow] {
        let load = "1,000 watchers, 1,000 writes/s"
        return [
            MeasureRow("endpoint: write to watch, \(load)", "swiftlet", .milliseconds, delays),
            MeasureRow(
                "endpoint: write to watch, p99, \(load)", "swiftlet", .milliseconds,
                Samples([delays.percentile(0.99)]), goal: 100),
            MeasureRow(
                "endpoint: writes done, \(load)", "swiftlet", .perSecond, Samples([Double(writes) * 1000 / took])),
            MeasureRow("endpoint: CPU, \(load)", "swiftlet", .percentOfCore, Samples([cpu / took * 100])),
        ]
    }

    // MARK: Clients

    private func create(_ index: Int, _ client: APIClient) async throws {
        let metadata = ObjectMeta(name: "object-\(index)", namespace: Self.namespace)
        _ = try await client.create(ConfigMap(metadata: metadata, data: ["due": "0", "filler": "some text to carry"]))
    }

    private func write(_ index: Int, due: Int64, _ client: APIClient) async throws {
        let request = APIRequest(
            .patch, ConfigMap.definition.path(namespace: Self.namespace, name: "object-\(index)"),
            body: Array("{\"data\":{\"due\":\"\(due)\"}}".utf8),
            contentType: "application/merge-patch+json")
        _ = try await client.send(request)
    }

    private func watch(_ index: Int, _ client: APIClient, _ arrivals: Arrivals) async throws {
        let request = APIRequest(
            .get, ConfigMap.definition.path(namespace: Self.namespace),
            query: [
                .init("watch", "true"), .init("fieldSelector", "metadata.name=object-\(index)"),
                .init("timeoutSeconds", "600"),
            ])
        var isOpen = false
        for try await chunk in client.stream(request) {
            if !isOpen, !chunk.isEmpty {
                isOpen = true
                arrivals.noteOpening()
            }
            arrivals.note(chunk)
        }
        if !Task.isCancelled { throw BenchmarkError("the watch of object-\(index) has ended") }
    }

    /// One call for each object, some at a time.
    private func everyone(_ call: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<Self.writerCount {
                group.addTask {
                    for index in stride(from: worker, to: Self.watcherCount, by: Self.writerCount) {
                        try await call(index)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Writes each at its time; a writer that is late makes up for it, and its delay counts.
    private func load(_ client: APIClient, from begin: Int64) async throws {
        let step = Int64(1_000_000_000 / Self.writesPerSecond)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<Self.writerCount {
                group.addTask {
                    for number in stride(
                        from: worker, to: Self.writesPerSecond * Self.seconds, by: Self.writerCount)
                    {
                        let due = begin + Int64(number) * step
                        let wait = due - ResourceUsage.wallNanoseconds
                        if wait > 0 { try await Task.sleep(for: .nanoseconds(wait)) }
                        try await write(number % Self.watcherCount, due: due, client)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
