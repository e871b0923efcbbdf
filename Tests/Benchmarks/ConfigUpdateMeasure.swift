import KubernetesAPI
import KubernetesClient
import LinuxKernel

/// How long until a running pod sees all new content of a large ConfigMap that it has mounted.
struct ConfigUpdateMeasure: Measure {
    let name = "config-update"

    private static let files = 1000
    private static let rounds = 20
    private static let pod = "config-update"

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await PodWorkload.with(scope, name) { workload in
            var config = try await workload.node.client.create(Self.config())
            try await workload.create(Self.pod, Self.spec)
            try await workload.waitUntilRunning([Self.pod])
            let directory = try await Self.directory(in: workload)
            try Self.check(directory, config)
            var rows: [MeasureRow] = []
            var round = 0
            for (title, changed) in [("one of its files changed", 1), ("all of its files changed", Self.files)] {
                var milliseconds: [Double] = []
                // The first round warms up and is not counted.
                for count in 0...Self.rounds {
                    try await Task.sleep(for: .milliseconds(100))
                    round += 1
                    let news = Self.entries(round: round, files: (Self.files - changed)..<Self.files)
                    config.data?.merge(news) { $1 }
                    let start = ResourceUsage.wallNanoseconds
                    config = try await workload.node.client.update(config)
                    let last = Self.key(Self.files - 1)
                    try await Deadline.within(.seconds(30), "the files of round \(round) in the pod") {
                        // While the directory is exchanged there may be none for a moment of the reader's.
                        (try? FileSystem.readText("\(directory)/\(last)", limit: 4096)) == news[last]
                    }
                    let end = ResourceUsage.wallNanoseconds
                    // They come all at once or the time above is not that of all.
                    try Self.check(directory, config)
                    if count > 0 { milliseconds.append(ResourceUsage.milliseconds(from: start, to: end)) }
                }
                rows.append(
                    MeasureRow(
                        "ConfigMap of 1,000 files, \(title) → all as it says in a running pod", "swiftlet",
                        .milliseconds, Samples(milliseconds), goal: 50))
            }
            return rows
        }
    }

    private static func config() -> ConfigMap {
        ConfigMap(
            metadata: ObjectMeta(name: pod, namespace: PodWorkload.namespace),
            data: entries(round: 0, files: 0..<files))
    }

    private static func entries(round: Int, files: Range<Int>) -> [String: String] {
        Dictionary(uniqueKeysWithValues: files.map { (key($0), "round \(round) of file \($0)") })
    }

    private static func key(_ file: Int) -> String { "key-\(file)" }

    private static var spec: PodSpec {
        let container = Container(
            name: "main", image: "host:///", command: ["/bin/busybox", "sleep", "100000"],
            volumeMounts: [VolumeMount(name: "config", mountPath: "/mnt")])
        return PodSpec(
            volumes: [Volume(name: "config", configMap: ConfigMapVolumeSource(name: pod))], containers: [container],
            terminationGracePeriodSeconds: 0)
    }

    /// The volume as the container's own process sees it.
    private static func directory(in workload: PodWorkload) async throws -> String {
        let container = await workload.observer.sightings(of: pod).containerID
        guard let process = try NodeProcesses.containers(run: workload.node.runDirectory)[container] else {
            throw BenchmarkError("pod \(pod) runs, but there is no process of its container \(container)")
        }
        return "/proc/\(process.pid)/root/mnt"
    }

    private static func check(_ directory: String, _ config: ConfigMap) throws {
        for (name, wanted) in config.data ?? [:] {
            let found = try FileSystem.readText("\(directory)/\(name)", limit: 4096)
            guard found == wanted else {
                throw BenchmarkError("\(name) has \"\(found)\", and the ConfigMap \"\(wanted)\"")
            }
        }
    }
}
