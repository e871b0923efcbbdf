import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Resizing pods over the API")
struct PodResizeTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let part = pods + "/p/resize"
    private static let strategic = "application/strategic-merge-patch+json"

    private static func patch(_ resources: JSONValue, container: JSONValue = "main") -> JSONValue {
        ["spec": ["containers": [["name": container, "resources": resources]]]]
    }

    private static func endpoint(_ resources: JSONValue, annotations: JSONValue = [:]) async throws -> EndpointFixture {
        let endpoint = try await EndpointFixture()
        var pod = EndpointFixture.pod("p", nodeName: "n1")
        pod.set([["name": "main", "image": "host:///", "resources": resources]], at: "spec", "containers")
        pod.set(annotations, at: "metadata", "annotations")
        try await endpoint.create(pods, pod)
        return endpoint
    }

    private static let guaranteed: JSONValue = [
        "limits": ["cpu": "100m", "memory": "32Mi"], "requests": ["cpu": "100m", "memory": "32Mi"],
    ]

    @Test("a patch changes cpu and memory, with a new generation")
    func patch() async throws {
        let endpoint = try await Self.endpoint(Self.guaranteed)
        #expect(await endpoint.send("GET", Self.part).value.string("kind") == "Pod")
        let more: JSONValue = [
            "limits": ["cpu": "200m", "memory": "64Mi"], "requests": ["cpu": "200m", "memory": "64Mi"],
        ]
        let answer = await endpoint.send("PATCH", Self.part, Self.patch(more), contentType: Self.strategic)
        #expect(answer.status == 200, "\(answer.value)")
        #expect(answer.value.list("spec", "containers").first?["resources"] == more)
        #expect(answer.value[path: "metadata", "generation"]?.intValue == 2)
    }

    @Test("a PUT changes the resources and nothing else of the pod")
    func put() async throws {
        let endpoint = try await Self.endpoint(["requests": ["cpu": "100m"]])
        var pod = await endpoint.send("GET", Self.pods + "/p").value
        pod.set(
            [["name": "main", "image": "other", "resources": ["requests": ["cpu": "300m"]]]], at: "spec", "containers")
        pod.set("elsewhere", at: "spec", "nodeName")
        pod.set("x", at: "metadata", "labels", "a")
        let answer = await endpoint.send("PUT", Self.part, pod)
        #expect(answer.status == 200, "\(answer.value)")
        let container = try #require(answer.value.list("spec", "containers").first)
        #expect(container[path: "resources", "requests", "cpu"]?.stringValue == "300m")
        #expect(container.string("image") == "host:///")
        #expect(answer.value.string("spec", "nodeName") == "n1")
        #expect(answer.value.string("metadata", "labels", "a").isEmpty)
    }

    @Test(
        "what may not change is told",
        arguments: [
            (["limits": ["ephemeral-storage": "1Gi"]], "only cpu and memory resources are mutable"),
            (["limits": ["cpu": nil]], "resource limits cannot be removed"),
            (["requests": ["cpu": "50m"]], "Pod QOS Class may not change as a result of resizing"),
            (["requests": ["cpu": "200m"]], "must be less than or equal to cpu limit"),
        ] as [(JSONValue, String)])
    func refused(resources: JSONValue, problem: String) async throws {
        let endpoint = try await Self.endpoint(Self.guaranteed)
        let answer = await endpoint.send("PATCH", Self.part, Self.patch(resources), contentType: Self.strategic)
        #expect(answer.status == 422)
        #expect(answer.value.string("message").contains(problem), "\(answer.value)")
    }

    @Test("no container comes or goes, and mirror pods stay as they are")
    func containers() async throws {
        let endpoint = try await Self.endpoint(Self.guaranteed)
        let added = await endpoint.send(
            "PATCH", Self.part, Self.patch(Self.guaranteed, container: "other"), contentType: Self.strategic)
        #expect(added.status == 422)
        #expect(added.value.string("message").contains("containers may not be added or removed on resize"))
        let mirror = try await Self.endpoint(
            Self.guaranteed, annotations: ["kubernetes.io/config.mirror": "x", "kubernetes.io/config.source": "file"])
        let answer = await mirror.send(
            "PATCH", Self.part, Self.patch(["limits": ["cpu": "200m"], "requests": ["cpu": "200m"]]),
            contentType: Self.strategic)
        #expect(answer.status == 422)
        #expect(answer.value.string("message").contains("static pods do not support resize"), "\(answer.value)")
    }

    @Test("the pod itself does not let its resources be changed")
    func main() async throws {
        let endpoint = try await Self.endpoint(Self.guaranteed)
        let answer = await endpoint.send(
            "PATCH", Self.pods + "/p", Self.patch(["requests": ["cpu": "50m"]]), contentType: Self.strategic)
        #expect(answer.status == 422)
    }
}
