import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Who may do what")
struct AuthorizerTests {
    @Test("without an identity everything is 401, except health")
    func anonymous() async throws {
        let endpoint = try await EndpointFixture()
        for path in ["/api", "/apis", "/version", "/openapi/v3", "/api/v1/pods", "/nothing"] {
            let answer = await endpoint.send("GET", path, as: nil)
            #expect(answer.status == 401)
            #expect(answer.value.string("reason") == "Unauthorized")
        }
        for path in ["/healthz", "/livez", "/readyz"] {
            let answer = await endpoint.send("GET", path, as: nil)
            #expect(answer.status == 200 && answer.text == "ok")
        }
        let verbose = await endpoint.send("GET", "/readyz?verbose", as: nil)
        #expect(verbose.text.hasSuffix("readyz check passed\n"))
    }

    @Test("an identity whose certificate has run out is nobody, even on an open connection")
    func expired() async throws {
        let endpoint = try await EndpointFixture()
        let expiry = endpoint.clock.now.seconds + 10
        let admin = Identity(name: "a", groups: ["system:masters"], expiry: expiry)
        #expect(await endpoint.send("GET", "/api/v1/pods", as: admin).status == 200)
        endpoint.clock.advance(11)
        #expect(await endpoint.send("GET", "/api/v1/pods", as: admin).status == 401)
    }

    @Test("an identity of no known group may do nothing to any object")
    func stranger() async throws {
        let endpoint = try await EndpointFixture()
        let stranger = Identity(name: "eve", groups: ["developers"])
        let answer = await endpoint.send("GET", "/api/v1/namespaces/default/pods", as: stranger)
        #expect(answer.status == 403)
        #expect(
            answer.value.string("message")
                == "pods is forbidden: User \"eve\" cannot list resource \"pods\" in API group \"\" in the namespace "
                + "\"default\""
        )
    }

    @Test(
        "a node does what a node needs, for itself, and no more",
        arguments: [
            ("GET", "/api/v1/nodes", true), ("PATCH", "/api/v1/nodes/n1", true), ("PATCH", "/api/v1/nodes/n2", false),
            ("PATCH", "/api/v1/nodes/n1/status", true), ("PATCH", "/api/v1/nodes/n2/status", false),
            ("DELETE", "/api/v1/nodes/n1", false), ("GET", "/api/v1/pods", false),
            ("GET", "/api/v1/namespaces/a/pods/p", true),
            ("PATCH", "/api/v1/namespaces/a/pods/p/status", true), ("PATCH", "/api/v1/namespaces/a/pods/p", false),
            ("DELETE", "/api/v1/namespaces/a/pods/p", true), ("DELETE", "/api/v1/namespaces/a/pods", false),
            ("POST", "/api/v1/namespaces/a/pods/p/binding", false), ("POST", "/api/v1/namespaces/a/events", true),
            ("GET", "/api/v1/namespaces/a/secrets/s", true), ("PUT", "/api/v1/namespaces/a/secrets/s", false),
            ("GET", "/api/v1/namespaces/a/configmaps/c", true), ("GET", "/api/v1/services", true),
            ("GET", "/api/v1/namespaces/a/serviceaccounts/s", true), ("GET", "/api/v1/serviceaccounts", false),
            ("POST", "/api/v1/namespaces/a/serviceaccounts/s/token", true),
            ("GET", "/api/v1/persistentvolumes/v", true), ("GET", "/api/v1/persistentvolumes", false),
            ("GET", "/api/v1/namespaces/a/persistentvolumeclaims", false),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1", true),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2", false),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/n1", false),
            ("PATCH", "/api/v1/namespaces/a/persistentvolumeclaims/c/status", true),
            ("PATCH", "/api/v1/namespaces/a/persistentvolumeclaims/c", false),
            ("GET", "/apis/storage.k8s.io/v1/csidrivers/d", true),
            ("GET", "/apis/storage.k8s.io/v1/csinodes/n1", true), ("PUT", "/apis/storage.k8s.io/v1/csinodes/n1", true),
            ("GET", "/apis/storage.k8s.io/v1/csinodes/n2", false),
            ("PATCH", "/apis/storage.k8s.io/v1/csinodes/n2", false),
            ("GET", "/apis/storage.k8s.io/v1/csinodes", false),
            ("PUT", "/apis/storage.k8s.io/v1/csidrivers/d", false),
            ("GET", "/apis/storage.k8s.io/v1/volumeattachments/v", true),
            ("GET", "/apis/storage.k8s.io/v1/volumeattachments", false),
            ("PATCH", "/apis/storage.k8s.io/v1/volumeattachments/v", false),
            ("DELETE", "/api/v1/namespaces/a", false), ("GET", "/api/v1/namespaces/a/pods/p/log", false),
        ])
    func node(method: String, path: String, allowed: Bool) throws {
        let info = try #require(try RequestInfo(method: method, path: path, isWatch: false))
        let asked = AccessRequest(info)
        #expect(NodeRules.allows(EndpointFixture.node, asked, refersTo: { _, _, _, _ in true }) == allowed)
    }

    @Test("a node registers itself, never another")
    func registration() async throws {
        let endpoint = try await EndpointFixture()
        let other = await endpoint.send("POST", "/api/v1/nodes", ["metadata": ["name": "n2"]], as: EndpointFixture.node)
        #expect(other.status == 403)
        let body: JSONValue = ["metadata": ["name": "n1"], "status": ["capacity": ["cpu": "2"]]]
        let own = await endpoint.send("POST", "/api/v1/nodes", body, as: EndpointFixture.node)
        #expect(own.status == 201)
        #expect(own.value.string("status", "capacity", "cpu") == "2")
        for (name, status) in [("n2", 403), ("n1", 201)] {
            let drivers: JSONValue = ["metadata": ["name": .string(name)], "spec": ["drivers": []]]
            let answer = await endpoint.send(
                "POST", "/apis/storage.k8s.io/v1/csinodes", drivers, as: EndpointFixture.node)
            #expect(answer.status == status)
        }
    }

    @Test(
        "the node's name comes from the certificate's name and group together",
        arguments: [
            ("system:node:n1", ["system:nodes"], "n1"), ("system:node:n1", ["developers"], nil),
            ("n1", ["system:nodes"], nil), ("system:node:", ["system:nodes"], nil),
        ] as [(String, [String], String?)])
    func nodeName(name: String, groups: [String], expected: String?) {
        #expect(Identity(name: name, groups: Set(groups)).nodeName == expected)
    }
}
