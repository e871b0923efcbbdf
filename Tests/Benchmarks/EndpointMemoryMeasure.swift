import KubernetesAPI
import KubernetesClient

/// What an endpoint holds in memory with many objects, once it is at rest.
struct EndpointMemoryMeasure: Measure {
    let name = "endpoint-memory"

    /// What a node with 250 pods has after an hour, in about these proportions.
    private static let busyNode = EndpointObjects(pods: 250, configMaps: 750, secrets: 500, events: 3_500)
    private static let rest = Duration.seconds(10)

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        // 60 MB.
        let mixed = try await row(
            scope, "endpoint: memory (PSS), 5,000 objects: 250 pods, 750 ConfigMaps, 500 secrets, 3,500 events",
            Self.busyNode, goal: 57.2)
        return [
            mixed,
            try await row(scope, "endpoint: memory (PSS), 5,000 pods", EndpointObjects(pods: 5_000), goal: nil),
        ]
    }

    private func row(
        _ scope: BenchmarkScope, _ title: String, _ objects: EndpointObjects, goal: Double?
    ) async throws -> MeasureRow {
        try await EndpointUnderTest.with(scope, "\(name)-\(objects.pods)") { endpoint in
            try await objects.make(endpoint.client)
            try await Task.sleep(for: Self.rest)
            let memory = try NodeMemory.mebibytes(endpoint.pid)
            var row = MeasureRow(title, "swiftlet", .mebibytes, Samples([memory]))
            row.goal = goal
            row.peer = EndpointMeasure.peer
            return row
        }
    }
}
