import KubernetesAPI
import KubernetesClient
import LinuxKernel

/// The pods measured: one sleeping container each, which says when it began and obeys SIGTERM.
struct PodWorkload: Sendable {
    static let namespace = "default"

    let node: NodeUnderTest
    let observer: PodObserver

    private static let script =
        #"trap "exit 0" TERM; trap "exit 1" USR1; echo started; while :; do /bin/busybox sleep 3600 & wait; done"#

    /// Runs `body` with a node of its own, whose pods are watched.
    ///
    /// - Parameter name: of the node, unique within the run.
    static func with<Value: Sendable>(
        _ scope: BenchmarkScope, _ name: String, _ body: @Sendable (PodWorkload) async throws -> Value
    ) async throws -> Value {
        try await NodeUnderTest.with(scope, name) { node in
            let observer = PodObserver()
            return try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { await observer.run(node.client) }
                return try await body(PodWorkload(node: node, observer: observer))
            }
        }
    }

    func create(_ name: String, readinessProbe: Probe? = nil, hostUsers: Bool? = nil) async throws {
        let container = Container(
            name: "main", image: "host:///", command: ["/bin/busybox", "sh", "-c", Self.script],
            resources: ResourceRequirements(requests: ["cpu": try Quantity(parsing: "1m")]),
            readinessProbe: readinessProbe)
        try await create(
            name, PodSpec(containers: [container], terminationGracePeriodSeconds: 10, hostUsers: hostUsers))
    }

    func create(_ name: String, _ spec: PodSpec) async throws {
        _ = try await node.client.create(
            Pod(metadata: ObjectMeta(name: name, namespace: Self.namespace), spec: spec))
    }

    /// All at once, and waits until all run.
    func createAll(_ names: [String], readinessProbe: Probe? = nil) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names { group.addTask { try await create(name, readinessProbe: readinessProbe) } }
            try await group.waitForAll()
        }
        // Longer than for one: on a busy machine so many take their time, which is not what is measured.
        try await observer.wait(for: names, "Running", within: .seconds(120)) { $0.running != nil }
    }

    func delete(_ name: String) async throws {
        try await node.client.delete(Pod.self, namespace: Self.namespace, name: name)
    }

    func waitUntilRunning(_ names: [String]) async throws {
        try await observer.wait(for: names, "Running") { $0.running != nil }
    }

    func waitUntilGone(_ names: [String]) async throws {
        try await observer.wait(for: names, "gone") { $0.gone != nil }
    }

    /// When the container's first line reached its monitor: at most a read and a write after its first instruction.
    func firstOutput(of name: String, attempt: Int = 0) async throws -> Int64 {
        let file = await logFile(of: name, attempt: attempt)
        try await Deadline.within(.seconds(5), "the first line of \(file)") {
            ((try? FileSystem.read(file)) ?? []).contains(0x0A)
        }
        guard let first = try Self.lines(in: file).first else { throw BenchmarkError("\(file) is empty") }
        return first.time
    }

    /// What the container's first instance has written, with the times at which its monitor had read it.
    func output(of name: String) async throws -> [(time: Int64, text: Substring)] {
        try Self.lines(in: await logFile(of: name, attempt: 0))
    }

    private func logFile(of name: String, attempt: Int) async -> String {
        let uid = await observer.sightings(of: name).uid
        return "\(node.logDirectory)/pods/\(Self.namespace)_\(name)_\(uid)/main/\(attempt).log"
    }

    /// Time, stream, whole or partial, and the text.
    private static func lines(in file: String) throws -> [(time: Int64, text: Substring)] {
        try FileSystem.readText(file).split(separator: "\n").map { line in
            let fields = line.split(separator: " ", maxSplits: 3)
            guard fields.count == 4, let time = Timestamp(rfc3339: String(fields[0])) else {
                throw BenchmarkError("\(file) has a line without a time: \(line)")
            }
            return (time.seconds * 1_000_000_000 + Int64(time.nanoseconds), fields[3])
        }
    }
}
