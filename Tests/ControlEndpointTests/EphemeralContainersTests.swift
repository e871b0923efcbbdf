import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Ephemeral containers over the API")
struct EphemeralContainersTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let part = pods + "/p/ephemeralcontainers"
    private static let strategic = "application/strategic-merge-patch+json"

    private static func patch(_ containers: JSONValue...) -> JSONValue {
        ["spec": ["ephemeralContainers": .array(containers)]]
    }

    private static let first: JSONValue = ["name": "debug", "image": "busybox:1", "targetContainerName": "main"]

    private static func endpoint(annotations: JSONValue = [:]) async throws -> EndpointFixture {
        let endpoint = try await EndpointFixture()
        var pod = EndpointFixture.pod("p", nodeName: "n1")
        pod.set(annotations, at: "metadata", "annotations")
        try await endpoint.create(pods, pod)
        return endpoint
    }

    private static func names(_ pod: JSONValue) -> [String] {
        pod.list("spec", "ephemeralContainers").map { $0.string("name") }
    }

    @Test("a patch adds containers to a running pod, with defaults and a new generation")
    func add() async throws {
        let endpoint = try await Self.endpoint()
        #expect(await endpoint.send("GET", Self.part).value.string("kind") == "Pod")
        let added = await endpoint.send("PATCH", Self.part, Self.patch(Self.first), contentType: Self.strategic)
        #expect(added.status == 200, "\(added.value)")
        let container = try #require(added.value.list("spec", "ephemeralContainers").first)
        #expect(container.string("terminationMessagePolicy") == "File")
        #expect(container.string("imagePullPolicy") == "IfNotPresent")
        #expect(added.value[path: "metadata", "generation"]?.intValue == 2)
        let second: JSONValue = ["name": "more", "image": "busybox:1"]
        let both = await endpoint.send("PATCH", Self.part, Self.patch(second), contentType: Self.strategic)
        #expect(Set(Self.names(both.value)) == ["debug", "more"])
        #expect(Set(Self.names(await endpoint.send("GET", Self.pods + "/p").value)) == ["debug", "more"])
    }

    @Test("a PUT changes the ephemeral containers and nothing else of the pod")
    func put() async throws {
        let endpoint = try await Self.endpoint()
        var pod = await endpoint.send("GET", Self.pods + "/p").value
        pod.set([Self.first], at: "spec", "ephemeralContainers")
        pod.set("elsewhere", at: "spec", "nodeName")
        pod.set("x", at: "metadata", "labels", "a")
        let answer = await endpoint.send("PUT", Self.part, pod)
        #expect(answer.status == 200, "\(answer.value)")
        #expect(Self.names(answer.value) == ["debug"])
        #expect(answer.value.string("spec", "nodeName") == "n1")
        #expect(answer.value.string("metadata", "labels", "a").isEmpty)
    }

    @Test("an existing one neither changes nor goes")
    func immutable() async throws {
        let endpoint = try await Self.endpoint()
        _ = await endpoint.send("PATCH", Self.part, Self.patch(Self.first), contentType: Self.strategic)
        var changed = Self.first
        changed["image"] = "busybox:2"
        let refused = await endpoint.send("PATCH", Self.part, Self.patch(changed), contentType: Self.strategic)
        #expect(refused.status == 422)
        #expect(refused.value.string("message").contains("existing ephemeral containers \"debug\" may not be changed"))
        let gone = await endpoint.send(
            "PATCH", Self.part, ["spec": ["ephemeralContainers": nil]], contentType: "application/merge-patch+json")
        #expect(gone.status == 422)
        #expect(gone.value.string("message").contains("existing ephemeral containers \"debug\" may not be removed"))
    }

    @Test(
        "one that cannot run is refused with its field",
        arguments: [
            (["name": "main", "image": "i"], "spec.ephemeralContainers[0].name", "Duplicate value"),
            (
                ["name": "d", "image": "i", "targetContainerName": "none"],
                "spec.ephemeralContainers[0].targetContainerName", "Not found"
            ),
            (["name": "d"], "spec.ephemeralContainers[0].image", "Required value"),
            (
                ["name": "d", "image": "i", "ports": [["containerPort": 1]]], "spec.ephemeralContainers[0].ports",
                "Forbidden"
            ),
            (
                ["name": "d", "image": "i", "livenessProbe": ["exec": ["command": ["x"]]]],
                "spec.ephemeralContainers[0].livenessProbe", "Forbidden"
            ),
            (
                ["name": "d", "image": "i", "lifecycle": ["preStop": ["exec": ["command": ["x"]]]]],
                "spec.ephemeralContainers[0].lifecycle", "Forbidden"
            ),
            (
                ["name": "d", "image": "i", "resources": ["limits": ["cpu": "1"]]],
                "spec.ephemeralContainers[0].resources", "Forbidden"
            ),
        ] as [(JSONValue, String, String)])
    func invalid(container: JSONValue, field: String, reason: String) async throws {
        let endpoint = try await Self.endpoint()
        let answer = await endpoint.send("PATCH", Self.part, Self.patch(container), contentType: Self.strategic)
        #expect(answer.status == 422)
        #expect(answer.value[path: "details", "causes"]?[0]?.string("field") == field)
        #expect(answer.value.string("message").contains("\(field): \(reason)"), "\(answer.value)")
    }

    @Test("not through the pod itself, not on creation, and not on the mirror of a static pod")
    func otherWays() async throws {
        let endpoint = try await Self.endpoint(annotations: ["kubernetes.io/config.mirror": "h"])
        let mirror = await endpoint.send("PATCH", Self.part, Self.patch(Self.first), contentType: Self.strategic)
        #expect(mirror.status == 422)
        #expect(mirror.value.string("message").contains("static pods do not support ephemeral containers"))
        let main = await endpoint.send(
            "PATCH", Self.pods + "/p", Self.patch(Self.first), contentType: Self.strategic)
        #expect(main.status == 422)
        var pod = EndpointFixture.pod("q")
        pod.set([Self.first], at: "spec", "ephemeralContainers")
        let created = await endpoint.send("POST", Self.pods, pod)
        #expect(created.status == 422)
        #expect(
            created.value.string("message").contains("spec.ephemeralContainers: Forbidden: cannot be set on create"))
    }

    @Test("only reading and changing, only of a pod that is there, and not by a node")
    func verbs() async throws {
        let endpoint = try await Self.endpoint()
        #expect(await endpoint.send("POST", Self.part, Self.patch(Self.first)).status == 405)
        #expect(await endpoint.send("DELETE", Self.part).status == 405)
        #expect(await endpoint.send("GET", Self.pods + "/none/ephemeralcontainers").status == 404)
        let node = await endpoint.send(
            "PATCH", Self.part, Self.patch(Self.first), contentType: Self.strategic, as: EndpointFixture.node)
        #expect(node.status == 403)
    }

    @Test("discovery and OpenAPI tell of it")
    func discovery() async throws {
        let endpoint = try await EndpointFixture()
        let entry = await endpoint.send("GET", "/api/v1").value.list("resources")
            .first { $0.string("name") == "pods/ephemeralcontainers" }
        #expect(entry?.string("kind") == "Pod")
        #expect(entry?.list("verbs") == ["get", "patch", "update"])
        let paths = await endpoint.send("GET", "/openapi/v3/api/v1").value["paths"]?.objectValue ?? [:]
        #expect(paths["/api/v1/namespaces/{namespace}/pods/{name}/ephemeralcontainers"]?["patch"] != nil)
        #expect(paths["/api/v1/namespaces/{namespace}/pods/{name}/status"]?["patch"] != nil)
        #expect(paths["/api/v1/namespaces/{namespace}/pods/{name}/log"] == nil)
    }
}
