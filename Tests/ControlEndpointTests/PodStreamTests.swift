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

    // MARK: Upgrades through the proxy subresources

    private static func proxied(
        _ path: String, _ identity: Identity?, _ endpoint: EndpointFixture, _ headers: HTTPHeaders = [:],
        method: String = "GET"
    ) throws(APIStatusError) -> ProxiedRequest? {
        var all: HTTPHeaders = [
            "Connection": "keep-alive, Upgrade, X-Hop", "Upgrade": "websocket", "X-Hop": "1", "Host": "page.example",
        ]
        all.add(contentsOf: headers)
        let request = UpgradeRequest(method: method, target: path, headers: all)
        return try endpoint.api.proxiedUpgrade(request, identity, source: "10.0.0.9")
    }

    private static let pods = "/api/v1/namespaces/default/pods"

    @Test("an upgrade leads to the pod's address, with everything but who asks")
    func proxiedPod() async throws {
        let endpoint = try await Self.endpoint()
        let patch = await endpoint.send(
            "PATCH", "\(Self.pods)/web/status", ["status": ["podIP": "10.85.0.3"]],
            contentType: "application/merge-patch+json")
        try #require(patch.status == 200)
        let sent: HTTPHeaders = [
            "Authorization": "Bearer t", "Cookie": "a=b", "X-Remote-User": "root", "Sec-WebSocket-Key": "k",
        ]
        let found = try #require(
            try Self.proxied("\(Self.pods)/https:web:81/proxy/a%20b?c=d", EndpointFixture.admin, endpoint, sent))
        let backend = try ProxyBackend(
            pod: ["status": ["podIP": "10.85.0.3"]], ProxyTarget(parsing: "web:81") ?? #require(nil))
        #expect(found.destination == .pod(backend, scheme: "https"))
        #expect(found.target == "/a%20b?c=d" && found.prefix == "\(Self.pods)/https:web:81/proxy")
        let headers = found.headers.map { "\($0.name): \($0.value)" }.sorted()
        #expect(
            headers == [
                "Connection: Upgrade", "Cookie: a=b", "Host: page.example", "Sec-WebSocket-Key: k",
                "Upgrade: websocket", "X-Forwarded-For: 10.0.0.9",
                "X-Forwarded-Uri: \(Self.pods)/https:web:81/proxy/a%20b",
            ])
        #expect(try Self.proxied("\(Self.pods)/web/proxy", EndpointFixture.admin, endpoint)?.target == "/")
        #expect(try Self.proxied("\(Self.pods)/web/exec", EndpointFixture.admin, endpoint) == nil)
    }

    @Test("no upgrade leads to this machine itself, carries a body, or comes from nobody")
    func proxiedRefusals() async throws {
        let endpoint = try await Self.endpoint()
        func code(
            _ path: String, _ headers: HTTPHeaders = [:], _ identity: Identity? = EndpointFixture.admin,
            method: String = "GET"
        ) -> Int {
            do throws(APIStatusError) {
                return try Self.proxied(path, identity, endpoint, headers, method: method) == nil ? 0 : 101
            } catch { return error.code }
        }
        for (address, status) in [("127.0.0.1", 403), ("169.254.169.254", 403), ("10.85.0.3", 101)] {
            let patch = await endpoint.send(
                "PATCH", "\(Self.pods)/web/status", ["status": ["podIP": .string(address)]],
                contentType: "application/merge-patch+json")
            try #require(patch.status == 200)
            #expect(code("\(Self.pods)/web/proxy/") == status, "\(address)")
        }
        #expect(code("\(Self.pods)/web/proxy/", ["Content-Length": "1"]) == 400)
        #expect(code("\(Self.pods)/web/proxy/", ["Transfer-Encoding": "chunked"]) == 400)
        #expect(code("\(Self.pods)/web/proxy/", [:], nil) == 401)
        #expect(code("\(Self.pods)/web/proxy/", [:], Identity(name: "eve", groups: [])) == 403)
        #expect(code("\(Self.pods)/web/proxy/ä") == 400)
        #expect(code("/api/v1/namespaces/default/configmaps/web/proxy/") == 404)
        #expect(code("/api/v1/nodes/n1/proxy/") == 101)
    }

    @Test("through a node's API commands can be run: whoever may only read it may not upgrade")
    func proxiedNode() async throws {
        let endpoint = try await Self.endpoint()
        for (user, verbs) in [("watcher", ["get"] as [JSONValue]), ("runner", ["get", "create"])] {
            try await endpoint.create(
                "\(Self.group)/clusterroles",
                [
                    "metadata": ["name": .string(user)],
                    "rules": [["apiGroups": [""], "resources": ["nodes/proxy"], "verbs": .array(verbs)]],
                ])
            try await endpoint.create(
                "\(Self.group)/clusterrolebindings",
                [
                    "metadata": ["name": .string(user)],
                    "roleRef": [
                        "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(user),
                    ],
                    "subjects": [
                        ["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": .string(user)]
                    ],
                ])
        }
        let path = "/api/v1/nodes/n1:10255/proxy/exec/a/b/c"
        let found = try Self.proxied(path, Identity(name: "runner", groups: []), endpoint)
        #expect(found?.destination == .node(NodePlace(name: "n1", address: "10.0.0.7", port: 10255)))
        #expect(throws: APIStatusError.self) {
            try Self.proxied(path, Identity(name: "watcher", groups: []), endpoint)
        }
    }

    @Test("a token among the protocols is read, and taken out")
    func bearerProtocol() {
        let prefix = "base64url.bearer.authorization.k8s.io."
        var headers: HTTPHeaders = ["Sec-WebSocket-Protocol": "v4.channel.k8s.io, \(prefix)YT8-Yj8_", "A": "b"]
        #expect(BearerProtocol.token(in: headers) == "a?>b??")
        BearerProtocol.remove(from: &headers)
        #expect(headers["sec-websocket-protocol"] == ["v4.channel.k8s.io"] && headers["a"] == ["b"])
        for text in ["\(prefix)", "\(prefix)***", "\(prefix)YQ,\(prefix)Yg", "YQ"] {
            #expect(BearerProtocol.token(in: ["Sec-WebSocket-Protocol": text]) == nil, "\(text)")
        }
        var alone: HTTPHeaders = ["Sec-WebSocket-Protocol": "\(prefix)YQ"]
        BearerProtocol.remove(from: &alone)
        #expect(alone["sec-websocket-protocol"].isEmpty)
    }

    @Test("of an answer, what concerns the connection stays here, and a redirect stays behind the proxy")
    func answeredHeaders() {
        let headers = ProxyHeaders.answered(
            [
                "Connection": "close, X-Hop", "X-Hop": "1", "Keep-Alive": "5", "Location": "/next", "Set-Cookie": "a",
                "Set-Cookie": "b",
            ], prefix: "/p")
        #expect(headers.map { "\($0.name)=\($0.value)" } == ["Location=/p/next", "Set-Cookie=a", "Set-Cookie=b"])
        #expect(ProxyHeaders.answered(["Location": "//other/x"], prefix: "/p")["location"] == ["//other/x"])
    }
}
