import KubernetesAPI
import KubernetesClient

/// The control endpoint under the load of many clients, and with many objects.
struct EndpointMeasure: Measure {
    let name = "endpoint"

    private static let podCount = 5_000
    private static let listRounds = 10
    private static let namespace = "default"
    /// Requests under way at once while objects are made.
    private static let width = 64
    /// There is no build of it for this machine to measure against.
    private static let peer = "kube-apiserver + etcd: not to be had here"

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await EndpointUnderTest.with(scope, name) { endpoint in
            var rows = try await WatchLoad().rows(endpoint)
            try await makePods(endpoint.client)
            rows.append(try await listRow(endpoint.client))
            let memory = try NodeMemory.mebibytes(endpoint.pid)
            // 60 MB.
            rows.append(
                MeasureRow("endpoint: memory (PSS), 5,000 pods", "swiftlet", .mebibytes, Samples([memory]), goal: 57.2))
            return rows.map { row in
                var row = row
                row.peer = Self.peer
                return row
            }
        }
    }

    /// Pods that no scheduler looks at.
    private func makePods(_ client: APIClient) async throws {
        let container = Container(name: "main", image: "registry.example/benchmark:1")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<Self.width {
                group.addTask {
                    for index in stride(from: worker, to: Self.podCount, by: Self.width) {
                        var spec = PodSpec(containers: [container])
                        spec.schedulingGates = [PodSchedulingGate(name: "example.com/benchmark")]
                        let metadata = ObjectMeta(
                            name: "pod-\(index)", namespace: Self.namespace, labels: ["app": "app-\(index % 50)"])
                        _ = try await client.create(Pod(metadata: metadata, spec: spec))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func listRow(_ client: APIClient) async throws -> MeasureRow {
        let request = APIRequest(.get, Pod.definition.path(namespace: Self.namespace))
        var times: [Double] = []
        for _ in 0..<Self.listRounds {
            let begin = ResourceUsage.wallNanoseconds
            let answer = try await client.send(request)
            times.append(ResourceUsage.milliseconds(from: begin, to: ResourceUsage.wallNanoseconds))
            guard answer.body.count > Self.podCount * 200 else {
                throw BenchmarkError("the list has only \(answer.body.count) bytes")
            }
        }
        return MeasureRow("endpoint: list of 5,000 pods", "swiftlet", .milliseconds, Samples(times), goal: 300)
    }
}
