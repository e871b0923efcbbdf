import KubernetesAPI
import KubernetesClient

/// Objects that an endpoint is filled with; no controller has anything to do for them.
struct EndpointObjects: Sendable {
    static let namespace = "default"
    /// Requests under way at once while they are made.
    private static let width = 64

    var pods = 0
    var configMaps = 0
    var secrets = 0
    var events = 0

    var count: Int { pods + configMaps + secrets + events }

    func make(_ client: APIClient) async throws {
        try await each(pods) { _ = try await client.create(Self.pod($0)) }
        try await each(configMaps) { index in
            let settings = (0..<8).map { ("setting-\($0)", "value \(index) of the setting \($0)") }
            _ = try await client.create(
                ConfigMap(
                    metadata: Self.metadata("config", index), data: Dictionary(uniqueKeysWithValues: settings)))
        }
        try await each(secrets) { index in
            _ = try await client.create(
                Secret(
                    metadata: Self.metadata("secret", index),
                    stringData: ["username": "user-\(index)", "password": String(repeating: "x", count: 24)],
                    type: "Opaque"))
        }
        try await each(events) { _ = try await client.create(Self.event($0)) }
    }

    private func each(_ count: Int, _ make: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<Self.width {
                group.addTask {
                    for index in stride(from: worker, to: count, by: Self.width) { try await make(index) }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func metadata(_ kind: String, _ index: Int) -> ObjectMeta {
        ObjectMeta(name: "\(kind)-\(index)", namespace: namespace, labels: ["app": "app-\(index % 50)"])
    }

    /// A pod that no scheduler looks at.
    private static func pod(_ index: Int) -> Pod {
        var spec = PodSpec(containers: [Container(name: "main", image: "registry.example/benchmark:1")])
        spec.schedulingGates = [PodSchedulingGate(name: "example.com/benchmark")]
        return Pod(metadata: metadata("pod", index), spec: spec)
    }

    private static func event(_ index: Int) -> Event {
        var event = Event(metadata: metadata("event", index))
        event.metadata.labels = nil
        event.involvedObject = ObjectReference(
            kind: "Pod", namespace: namespace, name: "pod-\(index % 250)", apiVersion: "v1")
        event.reason = "Started"
        event.message = "Started: container main was started for the time number \(index)"
        event.type = "Normal"
        event.count = 1
        event.firstTimestamp = .now()
        event.lastTimestamp = .now()
        return event
    }
}
