import KubernetesAPI
import KubernetesClient
import LinuxKernel

/// The pods measured: one sleeping container each, which says when it began and obeys SIGTERM.
struct PodWorkload: Sendable {
    static let namespace = "default"

    let node: NodeUnderTest
    let observer: PodObserver

    private static let script = #"trap "exit 0" TERM; echo started; while :; do /bin/busybox sleep 3600 & wait; done"#

    func create(_ name: String) async throws {
        let container = Container(
            name: "main", image: "host:///", command: ["/bin/busybox", "sh", "-c", Self.script],
            resources: ResourceRequirements(requests: ["cpu": try Quantity(parsing: "1m")]))
        _ = try await node.client.create(
            Pod(
                metadata: ObjectMeta(name: name, namespace: Self.namespace),
                spec: PodSpec(containers: [container], terminationGracePeriodSeconds: 10)))
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
    func firstOutput(of name: String) async throws -> Int64 {
        let uid = await observer.sightings(of: name).uid
        let file = "\(node.logDirectory)/pods/\(Self.namespace)_\(name)_\(uid)/main/0.log"
        try await Deadline.within(.seconds(5), "the first line of \(file)") {
            ((try? FileSystem.read(file)) ?? []).contains(0x0A)
        }
        let stamp = try FileSystem.readText(file).prefix { $0 != " " }
        guard let time = Timestamp(rfc3339: String(stamp)) else {
            throw BenchmarkError("\(file) does not begin with a time: \(stamp)")
        }
        return time.seconds * 1_000_000_000 + Int64(time.nanoseconds)
    }
}
