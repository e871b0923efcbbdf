import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Tokens of service accounts")
struct ServiceAccountTokensTests {
    private static let path = "/api/v1/namespaces/default/serviceaccounts/default/token"

    /// Asks for a token of the account `default` in the namespace `default`.
    private func token(
        _ endpoint: EndpointFixture, _ spec: JSONValue = [:], as identity: Identity = EndpointFixture.admin
    ) async throws -> String {
        let answer = await endpoint.send("POST", Self.path, ["spec": spec], as: identity)
        try #require(answer.status == 201, "\(answer.value)")
        return answer.value.string("status", "token")
    }

    private func identity(_ endpoint: EndpointFixture, _ token: String) -> Identity? {
        endpoint.api.tokens.identity(token, audiences: [TokenClaims.issuer])?.identity
    }

    @Test("a token proves its account, until it runs out")
    func proves() async throws {
        let endpoint = try await EndpointFixture()
        let token = try await token(endpoint, ["expirationSeconds": 600])
        let found = try #require(identity(endpoint, token))
        #expect(found.name == "system:serviceaccount:default:default")
        #expect(found.groups == ["system:serviceaccounts", "system:serviceaccounts:default"])
        #expect(!found.uid.isEmpty)
        endpoint.clock.advance(599)
        #expect(identity(endpoint, token) != nil)
        endpoint.clock.advance(1)
        #expect(identity(endpoint, token) == nil)
    }

    @Test("a token that was touched, or signed by another key, proves nothing")
    func forged() async throws {
        let endpoint = try await EndpointFixture()
        let parts = try await token(endpoint).split(separator: ".").map(String.init)
        let claims = try #require(Base64URL.decode(parts[1]))
        let text = String(decoding: claims, as: UTF8.self)
        let other = Base64URL.encode(Array(text.replacing(":default:default", with: ":kube-system:x").utf8))
        #expect(identity(endpoint, "\(parts[0]).\(other).\(parts[2])") == nil)
        let none = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))
        #expect(identity(endpoint, "\(none).\(parts[1]).") == nil)
        let value = try JSONValue(parsing: claims)
        #expect(identity(endpoint, try TokenSigner.ephemeral().token(claims: value)) == nil)
        for text in ["", ".", "..", "a.b.c", String(repeating: "a", count: 1 << 20)] {
            #expect(identity(endpoint, text) == nil)
        }
    }

    @Test("a token for another audience is not for the API server")
    func audience() async throws {
        let endpoint = try await EndpointFixture()
        let token = try await token(endpoint, ["audiences": ["vault"]])
        #expect(identity(endpoint, token) == nil)
        let review: JSONValue = ["spec": ["token": .string(token), "audiences": ["vault", "other"]]]
        let answer = await endpoint.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)
        #expect(answer.status == 201)
        #expect(answer.value[path: "status", "authenticated"] == true)
        #expect(answer.value[path: "status", "audiences"] == ["vault"])
        let plain = await endpoint.send(
            "POST", "/apis/authentication.k8s.io/v1/tokenreviews", ["spec": ["token": .string(token)]])
        #expect(plain.value[path: "status", "authenticated"] == false)
    }

    @Test(
        "a duration is 10 minutes to 2^32 seconds", arguments: [(599, 422), (600, 201), (1 << 32, 201), (1 << 33, 422)])
    func duration(seconds: Int64, status: Int) async throws {
        let endpoint = try await EndpointFixture()
        let answer = await endpoint.send("POST", Self.path, ["spec": ["expirationSeconds": .integer(seconds)]])
        #expect(answer.status == status)
    }

    @Test("a token bound to a pod ends with that pod, and with no other of its name")
    func boundToPod() async throws {
        let endpoint = try await EndpointFixture()
        let pod = try await endpoint.create("/api/v1/namespaces/default/pods", EndpointFixture.pod("web"))
        let reference: JSONValue = [
            "kind": "Pod", "apiVersion": "v1", "name": "web", "uid": .string(pod.string("metadata", "uid")),
        ]
        let token = try await token(endpoint, ["boundObjectRef": reference])
        #expect(identity(endpoint, token)?.extra["authentication.kubernetes.io/pod-name"] == ["web"])
        _ = await endpoint.send("DELETE", "/api/v1/namespaces/default/pods/web?gracePeriodSeconds=0")
        #expect(identity(endpoint, token) == nil)
        try await endpoint.create("/api/v1/namespaces/default/pods", EndpointFixture.pod("web"))
        #expect(identity(endpoint, token) == nil)
        let stale = await endpoint.send("POST", Self.path, ["spec": ["boundObjectRef": reference]])
        #expect(stale.status == 409)
    }

    @Test("a token ends with its account, also when the account is made again")
    func accountGone() async throws {
        let endpoint = try await EndpointFixture()
        let token = try await token(endpoint)
        _ = await endpoint.send("DELETE", "/api/v1/namespaces/default/serviceaccounts/default")
        #expect(await endpoint.send("GET", "/api/v1/namespaces/default/serviceaccounts/default").status == 200)
        #expect(identity(endpoint, token) == nil)
    }

    @Test("a node gets tokens of its own pods only, bound to them")
    func node() async throws {
        let endpoint = try await EndpointFixture()
        func reference(_ pod: JSONValue) -> JSONValue {
            [
                "boundObjectRef": [
                    "kind": "Pod", "apiVersion": "v1", "name": .string(pod.string("metadata", "name")),
                    "uid": .string(pod.string("metadata", "uid")),
                ]
            ]
        }
        let own = try await endpoint.create(
            "/api/v1/namespaces/default/pods", EndpointFixture.pod("own", nodeName: "n1"))
        let other = try await endpoint.create(
            "/api/v1/namespaces/default/pods", EndpointFixture.pod("other", nodeName: "n2"))
        for (spec, status) in [(reference(own), 201), (reference(other), 403), ([:], 403)] {
            let answer = await endpoint.send("POST", Self.path, ["spec": spec], as: EndpointFixture.node)
            #expect(answer.status == status)
        }
    }

    @Test("the published key is the one that signs")
    func keys() async throws {
        let endpoint = try await EndpointFixture()
        let answer = await endpoint.send("GET", "/openid/v1/jwks")
        let key = try #require(answer.value.list("keys").first)
        let header = try #require(JSONWebToken(try await token(endpoint))?.header)
        #expect(key.string("kid") == header.string("kid") && key.string("alg") == "ES256")
        #expect(key["d"] == nil)
    }

    @Test("who am I is answered with name and groups")
    func whoAmI() async throws {
        let endpoint = try await EndpointFixture()
        let answer = await endpoint.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", [:])
        #expect(answer.value.string("status", "userInfo", "username") == "swiftlet-admin")
        #expect(answer.value.list("status", "userInfo", "groups") == ["system:authenticated", "system:masters"])
    }
}
