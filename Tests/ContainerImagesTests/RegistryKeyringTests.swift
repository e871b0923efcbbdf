import KubernetesAPI
import Testing

@testable import ContainerImages

@Suite("RegistryKeyring")
struct RegistryKeyringTests {
    private func ring(_ text: String, isLegacy: Bool = false) throws(ImageError) -> RegistryKeyring {
        try RegistryKeyring(parsing: Array(text.utf8), isLegacy: isLegacy, source: .node, subject: "file")
    }

    private func users(_ ring: RegistryKeyring, _ registry: String, _ repository: String) -> [String] {
        ring.credentials(registry: registry, repository: repository).map {
            switch $0.secret {
            case .password(let user, let password): "\(user):\(password)"
            case .identityToken(let token): "identity \(token)"
            case .registryToken(let token): "registry \(token)"
            }
        }
    }

    @Test("user and password, encoded or not, and both kinds of token are read")
    func forms() throws {
        let auth = Base64.encode(Array("a:b:c".utf8))
        let ring = try ring(
            #"""
            {"auths": {"one": {"auth": "\#(auth)"}, "two": {"username": "u", "password": "p"},
            "three": {"identitytoken": "i"}, "four": {"registrytoken": "r"}, "five": {}}, "credsStore": "x"}
            """#)
        #expect(users(ring, "one", "x") == ["a:b:c"])
        #expect(users(ring, "two", "x") == ["u:p"])
        #expect(users(ring, "three", "x") == ["identity i"])
        #expect(users(ring, "four", "x") == ["registry r"])
        #expect(users(ring, "five", "x") == [])
        #expect(users(try self.ring(#"{"one": {"auth": "\#(auth)"}}"#, isLegacy: true), "one", "x") == ["a:b:c"])
    }

    @Test("Docker's hub is known by all its names")
    func hub() throws {
        for name in ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"] {
            let ring = try ring(#"{"auths": {"\#(name)": {"username": "u"}}}"#)
            #expect(users(ring, "docker.io", "library/busybox") == ["u:"])
        }
    }

    @Test("all that fit are given, the longest path first, and whole components of path and host only")
    func order() throws {
        let ring = try ring(
            #"""
            {"auths": {"r.example.org": {"username": "host"}, "r.example.org/team": {"username": "team"},
            "*.example.org": {"username": "any"}, "r.example.org/team/app": {"username": "app"},
            "r.example.org:5000": {"username": "port"}, "*.org": {"username": "short"}}}
            """#)
        #expect(users(ring, "r.example.org", "team/app") == ["app:", "team:", "host:", "any:"])
        #expect(users(ring, "r.example.org", "teammate/app") == ["host:", "any:"])
        #expect(users(ring, "r.example.org:5000", "team/app") == ["port:"])
        #expect(users(ring, "x.r.example.org", "team/app") == [])
    }

    @Test("a pattern of many stars costs no more than its length")
    func stars() throws {
        let pattern = String(repeating: "*a", count: 200) + "b"
        let ring = try ring(#"{"auths": {"\#(pattern)": {"username": "u"}}}"#)
        #expect(users(ring, String(repeating: "a", count: 63), "x") == [])
    }

    @Test(
        "what cannot be used is refused in words that do not repeat it",
        arguments: [
            "no JSON", "[]", #"{"auths": []}"#, #"{"auths": {"a@b": {}}}"#, #"{"auths": {"a": {"auth": "hunter2"}}}"#,
            #"{"auths": {"a": {"username": "hunter2\n", "password": "hunter2"}}}"#,
        ])
    func refused(_ text: String) {
        let error = #expect(throws: ImageError.self) { try ring(text) }
        #expect(error?.code == .invalidCredentials)
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test("a credential's description shows nothing of it")
    func description() {
        let credential = RegistryCredential(
            .password(user: "u", password: "hunter2"), source: .secret(namespace: "n", name: "s", uid: "x"))
        #expect("\(credential)" == "credential in secret n/s")
        #expect(credential.fingerprint.count == 64)
    }
}
