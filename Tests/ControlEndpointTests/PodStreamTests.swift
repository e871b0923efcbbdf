import KubernetesAPI
import NIOHTTP1
import Streaming
import Testing

@testable import ControlEndpoint

@Suite("Streams to pods: who may, and where they lead")
struct PodStreamTests {
    private static let group = "/apis/rbac.authorization.k8s.io/v1"

    private static func request(
        _ verb: String, _ query: String = "command=true&stdout=1", pod: String = "web", method: String = "GET"
    ) -> UpgradeRequest {
        UpgradeRequest(
            method: method, target: "/api/v1/namespaces/default/pods/\(pod)/\(verb)?\(query)",
            headers: ["Connection": "Upgrade", "Upgrade": "websocket"])
    }

    /// An endpoint with node n1 at port 10250 and pod `web` running there.
    private static func endpoint() async throws -> EndpointFixture {
        let endpoint = try await EndpointFixture()
        try await endpoint.create("/api/v1/nodes", ["metadata": ["name": "n1"]])
        let status: JSONValue = [
            "status": [
                "daemonEndpoints": ["kubeletEndpoint": ["Port": 10250]],
                "addresses": [["type": "InternalIP", "address": "10.0.0.7"]],
            ]
        ]
        let patch = await endpoint.send(
            "PATCH", "/api/v1/nodes/n1/status", status, contentType: "application/merge-patch+json")
        try #require(patch.status == 200, "\(patch.value)")
        let pod = try await endpoint.create(
            "/api/v1/namespaces/default/pods", EndpointFixture.pod("web", nodeName: "n1"))
        try await setPhase("Running", of: "web", endpoint)
        try #require(!pod.string("metadata", "uid").isEmpty)
        return endpoint
    }

    private static func setPhase(_ phase: String, of pod: String, _ endpoint: EndpointFixture) async throws {
        let answer = await endpoint.send(
            "PATCH", "/api/v1/namespaces/default/pods/\(pod)/status", ["status": ["phase": .string(phase)]],
            contentType: "application/merge-patch+json")
        try #require(answer.status == 200, "\(answer.value)")
    }

    private static func code(_ request: UpgradeRequest, _ identity: Identity?, _ endpoint: EndpointFixture) -> Int {
        do throws(APIStatusError) {
            _ = try endpoint.api.streamTarget(request, identity)
            return 101
        } catch { return error.code }
    }

    /// Lets a user do just this with pods.
    private static func allow(
        _ user: String, _ verbs: [String], _ resources: [String], _ endpoint: EndpointFixture
    ) async throws {
        func values(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
        try await endpoint.create(
            "\(group)/namespaces/default/roles",
            [
                "metadata": ["name": .string(user)],
                "rules": [["apiGroups": [""], "resources": values(resources), "verbs": values(verbs)]],
            ])
        try await endpoint.create(
            "\(group)/namespaces/default/rolebindings",
            [
                "metadata": ["name": .string(user)],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": .string(user)],
                "subjects": [
                    ["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": .string(user)]
                ],
            ])
    }

    @Test("nobody but those with the right to create the subresource gets through", arguments: ["GET", "POST"])
    func rights(method: String) async throws {
        let endpoint = try await Self.endpoint()
        try await Self.allow("runner", ["create"], ["pods/exec"], endpoint)
        try await Self.allow("reader", ["get"], ["pods/exec", "pods/attach", "pods/portforward"], endpoint)
        try await Self.allow("keeper", ["*"], ["pods"], endpoint)
        let exec = Self.request("exec", method: method)
        #expect(Self.code(exec, EndpointFixture.admin, endpoint) == 101)
        #expect(Self.code(exec, Identity(name: "runner", groups: []), endpoint) == 101)
        for name in ["reader", "keeper", "nobody"] {
            for verb in ["exec", "attach", "portforward"] {
                let request = Self.request(verb, method: method)
                #expect(Self.code(request, Identity(name: name, groups: []), endpoint) == 403, "\(name) \(verb)")
            }
        }
        #expect(Self.code(Self.request("attach"), Identity(name: "runner", groups: []), endpoint) == 403)
        #expect(Self.code(exec, EndpointFixture.node, endpoint) == 403, "a node needs none of it")
        #expect(Self.code(exec, nil, endpoint) == 401)
    }

    @Test("an identity that has run out is nobody")
    func expired() async throws {
        let endpoint = try await Self.endpoint()
        let admin = Identity(name: "a", groups: ["system:masters"], expiry: endpoint.clock.now.seconds - 1)
        #expect(Self.code(Self.request("exec"), admin, endpoint) == 401)
    }

    @Test("who may nothing does not learn which pods there are")
    func secrecy() async throws {
        let endpoint = try await Self.endpoint()
        let eve = Identity(name: "eve", groups: [])
        #expect(Self.code(Self.request("exec", pod: "absent"), eve, endpoint) == 403)
        #expect(Self.code(Self.request("exec", pod: "absent"), EndpointFixture.admin, endpoint) == 404)
    }

    @Test("a stream leads to the pod's own node, by its UID, with the node's names of the streams")
    func target() async throws {
        let endpoint = try await Self.endpoint()
        let query = "command=sh&command=-c&command=a%20%26%26%20b&stdin=true&stdout=true&stderr=true&tty=true"
        let place = try endpoint.api.streamTarget(Self.request("exec", query), EndpointFixture.admin)
        let uid = await endpoint.send("GET", "/api/v1/namespaces/default/pods/web").value.string("metadata", "uid")
        #expect(place.place == NodePlace(name: "n1", address: "10.0.0.7", port: 10250))
        #expect(
            place.target == "/exec/default/web/\(uid)/main?command=sh&command=-c&command=a%20%26%26%20b"
                + "&input=1&output=1&tty=1")
        let forward = try endpoint.api.streamTarget(Self.request("portforward", "ports=80"), EndpointFixture.admin)
        #expect(forward.target == "/portForward/default/web/\(uid)")
    }

    @Test("what cannot be streamed to is refused with its reason")
    func refused() async throws {
        let endpoint = try await Self.endpoint()
        let admin = EndpointFixture.admin
        #expect(Self.code(Self.request("exec", "command=true"), admin, endpoint) == 400, "no stream")
        #expect(Self.code(Self.request("exec", "container=x&command=a&stdout=1"), admin, endpoint) == 400)
        #expect(Self.code(Self.request("log", ""), admin, endpoint) == 404)
        #expect(Self.code(Self.request("exec", method: "DELETE"), admin, endpoint) == 405)
        try await endpoint.create("/api/v1/namespaces/default/pods", EndpointFixture.pod("lost"))
        #expect(Self.code(Self.request("exec", pod: "lost"), admin, endpoint) == 400, "no node")
        try await Self.setPhase("Succeeded", of: "web", endpoint)
        for verb in ["exec", "attach", "portforward"] { #expect(Self.code(Self.request(verb), admin, endpoint) == 400) }
    }
}
