import KubernetesAPI
import KubernetesClient
import Logging
import Testing

@testable import ControlEndpoint

@Suite("Clients in the endpoint's own process", .timeLimit(.minutes(5)))
struct LocalTransportTests {
    private func withClient(
        _ body: @Sendable (EndpointFixture, APIClient) async throws -> Void
    ) async throws {
        let endpoint = try await EndpointFixture()
        let transport = LocalTransport(api: endpoint.api, audit: nil, identity: EndpointFixture.admin)
        let client = APIClient(
            configuration: APIClientConfiguration(server: try ServerAddress(parsing: "https://127.0.0.1:6443")),
            transport: transport, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await transport.run() }
            try await body(endpoint, client)
            group.cancelAll()
        }
    }

    private func configMap(_ name: String) -> ConfigMap {
        var map = ConfigMap()
        map.metadata = ObjectMeta(name: name, namespace: "default")
        return map
    }

    @Test("objects are written and read, selectors and all, and refusals are the server's own")
    func requests() async throws {
        try await withClient { _, client in
            let made = try await client.create(configMap("a-b"))
            #expect(made.metadata.uid?.isEmpty == false)
            let list = try await client.list(
                ConfigMap.self, namespace: "default", fieldSelector: "metadata.name=a-b", resourceVersion: "")
            #expect(list.items.map(\.metadata.name) == ["a-b"])
            let error = await #expect(throws: APIError.self) {
                try await client.get(ConfigMap.self, namespace: "default", name: "missing")
            }
            #expect(error?.reason == .notFound)
        }
    }

    @Test("a watch brings every change, and one that is dropped is forgotten by the server")
    func watches() async throws {
        try await withClient { endpoint, client in
            do {
                var events = client.watch(
                    ConfigMap.self, namespace: "default",
                    resourceVersion: String(endpoint.store.resourceVersion)
                ).makeAsyncIterator()
                async let first = events.next()
                while endpoint.store.watcherCount == 0 { await Task.yield() }
                _ = try await client.create(configMap("one"))
                guard case .added(let object) = try await first else {
                    Issue.record("no event")
                    return
                }
                #expect(object.metadata.name == "one")
            }
            while endpoint.store.watcherCount > 0 { await Task.yield() }
        }
    }

    @Test("the endpoint's end is the watch's")
    func end() async throws {
        try await withClient { endpoint, client in
            var events = client.watch(
                ConfigMap.self, namespace: "default", resourceVersion: String(endpoint.store.resourceVersion)
            ).makeAsyncIterator()
            async let end = events.next()
            while endpoint.store.watcherCount == 0 { await Task.yield() }
            endpoint.store.finishWatches()
            let last = try await end
            #expect(last == nil)
        }
    }
}
