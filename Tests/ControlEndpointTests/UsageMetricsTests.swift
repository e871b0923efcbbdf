import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("metrics.k8s.io", .timeLimit(.minutes(5)))
struct UsageMetricsTests {
    /// Two pods in two namespaces, one node.
    struct Source: UsageMetricsSource {
        var failure: UsageMetricsError?

        static let time = Timestamp(rfc3339: "2026-01-02T03:04:05Z")

        func nodeMetrics() async throws(UsageMetricsError) -> [NodeMetrics] {
            if let failure { throw failure }
            return [
                NodeMetrics(
                    metadata: ObjectMeta(name: "n1"), timestamp: Self.time, window: "10s",
                    usage: ["cpu": .milli(250), "memory": .bytes(3 << 20)])
            ]
        }

        func podMetrics() async throws(UsageMetricsError) -> [PodMetrics] {
            if let failure { throw failure }
            return [("shop", "web"), ("default", "db")].map { namespace, name in
                PodMetrics(
                    metadata: ObjectMeta(name: name, namespace: namespace, labels: ["app": name]), timestamp: Self.time,
                    window: "10s", containers: [ContainerMetrics(name: "main", usage: ["cpu": .milli(5)])])
            }
        }
    }

    private static let root = "/apis/metrics.k8s.io/v1beta1"

    @Test("nodes and pods are listed and got, with selectors and namespaces")
    func read() async throws {
        let endpoint = try await EndpointFixture(metricsSource: Source())
        let nodes = await endpoint.send("GET", Self.root + "/nodes")
        #expect(nodes.status == 200 && nodes.value.string("kind") == "NodeMetricsList")
        #expect(nodes.value.string("apiVersion") == "metrics.k8s.io/v1beta1")
        let node = try #require(nodes.value.list("items").first)
        #expect(node.string("metadata", "name") == "n1" && node.string("usage", "cpu") == "250m")
        #expect(node.string("usage", "memory") == "3Mi" && node.string("window") == "10s")
        #expect(node.string("timestamp") == "2026-01-02T03:04:05Z")
        let pods = await endpoint.send("GET", Self.root + "/pods").value
        #expect(pods.list("items").map { $0.string("metadata", "name") } == ["db", "web"])
        let labelled = await endpoint.send("GET", Self.root + "/pods?labelSelector=app%3Dweb").value
        #expect(labelled.list("items").map { $0.string("metadata", "name") } == ["web"])
        let inNamespace = await endpoint.send("GET", Self.root + "/namespaces/default/pods").value
        #expect(inNamespace.list("items").map { $0.string("metadata", "name") } == ["db"])
        let one = await endpoint.send("GET", Self.root + "/namespaces/shop/pods/web").value
        #expect(one.string("kind") == "PodMetrics" && one.list("containers").first?.string("name") == "main")
        #expect(await endpoint.send("GET", Self.root + "/namespaces/default/pods/web").status == 404)
    }

    @Test("nothing of it can be written or watched")
    func readOnly() async throws {
        let endpoint = try await EndpointFixture(metricsSource: Source())
        #expect(await endpoint.send("DELETE", Self.root + "/namespaces/shop/pods/web").status == 405)
        #expect(await endpoint.send("POST", Self.root + "/namespaces/shop/pods", [:]).status == 405)
        #expect(await endpoint.send("GET", Self.root + "/pods?watch=true").status == 405)
    }

    @Test("discovery shows the group with get and list, and only where a node is attached")
    func discovery() async throws {
        let endpoint = try await EndpointFixture(metricsSource: Source())
        let list = await endpoint.send("GET", Self.root).value
        #expect(list.list("resources").map { $0.string("name") } == ["nodes", "pods"])
        #expect(list.list("resources").allSatisfy { $0.list("verbs") == ["get", "list"] })
        let groups = await endpoint.send("GET", "/apis").value
        #expect(groups.list("groups").contains { $0.string("name") == "metrics.k8s.io" })
        let alone = try await EndpointFixture()
        #expect(await alone.send("GET", Self.root + "/nodes").status == 404)
    }

    @Test("while figures are not known the answer says so")
    func unavailable() async throws {
        let endpoint = try await EndpointFixture(
            metricsSource: Source(failure: UsageMetricsError("the node agent is starting")))
        let answer = await endpoint.send("GET", Self.root + "/nodes")
        #expect(answer.status == 503 && answer.value.string("message").contains("the node agent is starting"))
    }
}
