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
            var config = try await workload.node.client.create(Self.config(round: 0))
            try await workload.create(Self.pod, Self.spec)
            try await workload.waitUntilRunning([Self.pod])
            let directory = try await Self.directory(in: workload)
            try Self.check(directory, round: 0)
            var milliseconds: [Double] = []
            // The first round warms up and is not counted.
            for round in 1...Self.rounds + 1 {
                try await Task.sleep(for: .milliseconds(100))
                config.data = Self.config(round: round).data
                let start = ResourceUsage.wallNanoseconds
                config = try await workload.node.client.update(config)
                let wanted = Self.text(round: round, file: Self.files - 1)
                try await Deadline.within(.seconds(30), "the files of round \(round) in the pod") {
                    // While the directory is exchanged there may be none for a moment of the reader's.
                    (try? FileSystem.readText(Self.path(directory, Self.files - 1), limit: 4096)) == wanted
                }
                let end = ResourceUsage.wallNanoseconds
                // They come all at once or the time above is not that of all.
                try Self.check(directory, round: round)
                if round > 1 { milliseconds.append(ResourceUsage.milliseconds(from: start, to: end)) }
            }
            return [
                MeasureRow(
                    "ConfigMap of 1,000 files replaced → all new in a running pod", "swiftlet", .milliseconds,
                    Samples(milliseconds), goal: 50)
            ]
        }
    }

    private static func config(round: Int) -> ConfigMap {
        let entries = (0..<files).map { (key($0), text(round: round, file: $0)) }
        return ConfigMap(
            metadata: ObjectMeta(name: pod, namespace: PodWorkload.namespace),
            data: Dictionary(uniqueKeysWithValues: entries))
    }

    private static func key(_ file: Int) -> String { "key-\(file)" }

    private static func text(round: Int, file: Int) -> String { "round \(round) of file \(file)" }

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

    private static func path(_ directory: String, _ file: Int) -> String { directory + "/" + key(file) }

    private static func check(_ directory: String, round: Int) throws {
        for file in 0..<files {
            let found = try FileSystem.readText(path(directory, file), limit: 4096)
            guard found == text(round: round, file: file) else {
                throw BenchmarkError("\(key(file)) has \"\(found)\" in round \(round)")
            }
        }
    }
}
