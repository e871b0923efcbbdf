import KubernetesAPI
import KubernetesClient

/// The control endpoint under the load of many clients, and with many objects to list.
struct EndpointMeasure: Measure {
    let name = "endpoint"

    private static let podCount = 5_000
    private static let listRounds = 10
    /// There is no build of it for this machine to measure against.
    static let peer = "kube-apiserver + etcd: not to be had here"

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await EndpointUnderTest.with(scope, name) { endpoint in
            var rows = try await WatchLoad().rows(endpoint)
            try await EndpointObjects(pods: Self.podCount).make(endpoint.client)
            rows.append(try await listRow(endpoint.client))
            return rows.map { row in
                var row = row
                row.peer = Self.peer
                return row
            }
        }
    }

    private func listRow(_ client: APIClient) async throws -> MeasureRow {
        let request = APIRequest(.get, Pod.definition.path(namespace: EndpointObjects.namespace))
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
