import KubernetesAPI
import Synchronization
import Testing

@testable import ContainerImages

@Suite("Hostile registries")
struct HostileRegistryTests {
    private static let fixture = ImageFixture([[.file("app", String(repeating: "x", count: 5000))]])
    private static let content = FakeRegistry.Content.image(fixture)
    private static let layer = ContentDigest(of: fixture.storedLayers[0])
    private static let config = ContentDigest(of: fixture.configBytes)

    /// Changes the answer for one blob.
    private func changing(
        _ digest: ContentDigest, _ change: @escaping @Sendable (inout FakeRegistry.Answer) -> Void
    ) -> FakeRegistry.Handler {
        { request in
            var answer = Self.content.answer(request)
            if request.path.hasSuffix("\(digest)") { change(&answer) }
            return answer
        }
    }

    @Test("a flipped bit in a layer or the configuration is found, and nothing is kept", arguments: [true, false])
    func flipped(_ isLayer: Bool) async throws {
        let failed = try await PullFixture.refusal(
            changing(isLayer ? Self.layer : Self.config) { $0.body[600 % $0.body.count] ^= 1 })
        #expect(failed.error.code == .digestMismatch)
        #expect(failed.left == [])
    }

    @Test("a body that is longer than its descriptor, endless or announced with another size is refused")
    func sizes() async throws {
        typealias Change = @Sendable (inout FakeRegistry.Answer) -> Void
        let longer: Change = { $0.body.append(0) }
        let endless: Change = { $0.isEndless = true }
        let shorter: Change = { $0.body.removeLast() }
        for change in [longer, endless, shorter] {
            for digest in [Self.layer, Self.config] {
                let failed = try await PullFixture.refusal(changing(digest, change))
                #expect(failed.error.code == .digestMismatch)
                #expect(failed.left == [])
            }
        }
    }

    @Test("a manifest that is too large, no JSON, of another type or announced with another digest is refused")
    func manifests() async throws {
        var limits = UnpackLimits()
        limits.documentBytes = 100_000
        let type = ImageFixture.manifestType
        let both = JSONValue.object(["manifests": [], "layers": [], "config": [:]]).serialized()
        let deep = Array(String(repeating: "[", count: 10_000).utf8)
        func answer(_ body: [UInt8], type: String = type) -> FakeRegistry.Answer {
            FakeRegistry.Answer(headers: [("content-type", type)], body: body)
        }
        var endless = answer([])
        endless.isEndless = true
        var renamed = answer(Self.fixture.manifest.serialized())
        renamed.headers.append(("docker-content-digest", "sha256:" + String(repeating: "0", count: 64)))
        var cases: [(FakeRegistry.Answer, ImageError.Code)] = []
        cases.append((answer([UInt8](repeating: 0x20, count: 100_001)), ImageError.Code.limitExceeded))
        cases.append((endless, ImageError.Code.limitExceeded))
        cases.append((answer(Array("no".utf8)), ImageError.Code.invalidArchive))
        cases.append((answer(deep), ImageError.Code.invalidArchive))
        cases.append((answer(both), ImageError.Code.invalidArchive))
        cases.append((answer(Array("{}".utf8), type: "text/html"), ImageError.Code.invalidArchive))
        cases.append((renamed, ImageError.Code.digestMismatch))
        for (answer, code) in cases {
            let failed = try await PullFixture.refusal(limits: limits) { request in
                request.path.contains("/manifests/") ? answer : Self.content.answer(request)
            }
            #expect(failed.error.code == code)
            #expect(!failed.error.message.contains("\n"))
            #expect(failed.left == [])
        }
    }

    @Test("an index in an index in an index, and so on, is not followed for ever")
    func deepIndex() async throws {
        let type = "application/vnd.oci.image.index.v1+json"
        var content = FakeRegistry.Content()
        var inner: [UInt8] = Array(#"{"manifests": []}"#.utf8)
        for depth in 0..<8 {
            content.add(manifest: inner, type: type, tag: depth == 7 ? "1" : nil)
            let entry = JSONValue.object(ImageFixture.descriptor(type, inner))
            inner = JSONValue.object(["manifests": .array([entry])]).serialized()
        }
        let served = content
        let failed = try await PullFixture.refusal { served.answer($0) }
        #expect(failed.error.code == .limitExceeded)
        #expect(failed.requests.count <= 5)
    }

    @Test("redirects end after a few, and never lead to a host without TLS that is not configured")
    func redirects() async throws {
        let loop = try await PullFixture.refusal { request in
            FakeRegistry.Answer.error(307, [("location", request.path)])
        }
        #expect(loop.error.code == .invalidAnswer)
        #expect(loop.requests.count == RedirectDecision.limit + 1)
        let metadata = try await PullFixture.refusal { _ in
            FakeRegistry.Answer.error(302, [("location", "http://169.254.169.254/x")])
        }
        #expect(metadata.error.code == .invalidAnswer)
        #expect(metadata.error.message.contains("not encrypted"))
    }

    @Test("credentials stay with the host they are for: a redirect to another gets none")
    func leak() async throws {
        let basic = "Basic " + Base64.encode(Array("ann:secret".utf8))
        try await FakeRegistry.run({ Self.content.answer($0) }) { storage in
            let target = storage.host
            try await FakeRegistry.run({ request in
                guard request.header("authorization") == basic else {
                    return .error(401, [("www-authenticate", "Basic realm=\"r\"")])
                }
                guard request.path.contains("/blobs/") else { return Self.content.answer(request) }
                return .error(307, [("location", "http://\(target)\(request.path)?signature=1")])
            }) { registry in
                try await PullFixture.run(plain: [registry.host, storage.host]) { _, puller in
                    let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                    let ring = try PullFixture.keyring(registry.host, user: "ann", password: "secret")
                    #expect(try await puller.pull(reference, keyring: ring).image.id == Self.fixture.id)
                    #expect(storage.requests.count == 2)
                    #expect(storage.requests.allSatisfy { $0.header("authorization") == nil })
                }
            }
        }
    }

    @Test("the addresses that a layer names for itself are not asked, whether the registry has it or not")
    func addresses() async throws {
        let challenge = [("www-authenticate", #"Basic realm="x""#)]
        try await FakeRegistry.run({ _ in .error(401, challenge) }) { thief in
            for hasLayer in [true, false] {
                var layer = ImageFixture.descriptor(
                    "application/vnd.oci.image.layer.v1.tar", Self.fixture.storedLayers[0])
                layer["urls"] = [.string("http://\(thief.host)/layer")]
                let manifest: JSONValue = [
                    "schemaVersion": 2, "mediaType": .string(ImageFixture.manifestType),
                    "config": .object(
                        ImageFixture.descriptor(
                            "application/vnd.oci.image.config.v1+json", Self.fixture.configBytes)),
                    "layers": [.object(layer)],
                ]
                var content = FakeRegistry.Content.image(Self.fixture)
                content.add(manifest: manifest.serialized(), type: ImageFixture.manifestType, tag: "1")
                if !hasLayer { content.blobs["\(Self.layer)"] = nil }
                try await FakeRegistry.run({ [content] in content.answer($0) }) { registry in
                    try await PullFixture.run(plain: [registry.host, thief.host]) { _, puller in
                        let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                        let keyring = try PullFixture.keyring(registry.host, user: "ann", password: "secret")
                        let outcome = await Result { () async throws in
                            try await puller.pull(reference, keyring: keyring)
                        }
                        let isPulled = (try? outcome.get()) != nil
                        #expect(isPulled == hasLayer, "\(outcome)")
                    }
                }
            }
            #expect(thief.requests.isEmpty)
        }
    }

    @Test(
        "a token server gets the password only at the registry's own host; its token is used and asked for as reading")
    func token() async throws {
        let basic = "Basic " + Base64.encode(Array("ann:secret".utf8))
        try await FakeRegistry.run({ request in
            if request.path == "/token" {
                return request.header("authorization") == basic
                    ? FakeRegistry.Answer(body: Array(#"{"token": "t0k"}"#.utf8)) : .error(401)
            }
            guard request.header("authorization") == "Bearer t0k" else {
                let realm = "http://\(request.header("host") ?? "")/token"
                let challenge = "Bearer realm=\"\(realm)\",service=\"s\",scope=\"repository:other:pull,push\""
                return .error(401, [("www-authenticate", challenge)])
            }
            return Self.content.answer(request)
        }) { registry in
            try await PullFixture.run(plain: [registry.host]) { _, puller in
                let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                let ring = try PullFixture.keyring(registry.host, user: "ann", password: "secret")
                #expect(try await puller.pull(reference, keyring: ring).image.id == Self.fixture.id)
                let tokens = registry.requests.filter { $0.path == "/token" }
                #expect(tokens.map(\.query) == ["service=s&scope=repository:team/app:pull"])
            }
        }
    }

    @Test("a realm at another host, or without TLS, is shown nothing")
    func foreignRealm() async throws {
        try await FakeRegistry.run({ _ in FakeRegistry.Answer(body: Array(#"{"token": "t"}"#.utf8)) }) { thief in
            for realm in ["http://\(thief.host)/token", "https://evil.example.org/token", "ftp://x/", "nothing"] {
                try await FakeRegistry.run({ _ in
                    .error(401, [("www-authenticate", "Bearer realm=\"\(realm)\"")])
                }) { registry in
                    try await PullFixture.run(plain: [registry.host]) { _, puller in
                        let ring = try PullFixture.keyring(registry.host, user: "ann", password: "secret")
                        let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                        await #expect(throws: ImageError.self) { try await puller.pull(reference, keyring: ring) }
                    }
                }
            }
            #expect(thief.requests.isEmpty)
        }
    }

    @Test(
        "a token server that lies is refused: no token, one that breaks a header, an endless answer",
        arguments: [
            #"{}"#, #"{"token": ""}"#, #"{"token": "a\r\nx: y"}"#, #"{"token": 5}"#, "no JSON",
        ])
    func tokenLies(_ body: String) async throws {
        let failed = try await PullFixture.refusal { request in
            if request.path == "/token" { return FakeRegistry.Answer(body: Array(body.utf8)) }
            return .error(401, [("www-authenticate", "Bearer realm=\"http://\(request.header("host") ?? "")/token\"")])
        }
        #expect(failed.error.code == .invalidAnswer)
    }

    @Test("an answer of 429 or 503 is tried again; a registry that wants more patience than there is, is told of")
    func busy() async throws {
        let count = Mutex(0)
        try await FakeRegistry.run({ request in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number <= 2 ? .error(number == 1 ? 429 : 503, [("retry-after", "0")]) : Self.content.answer(request)
        }) { registry in
            try await PullFixture.run(plain: [registry.host]) { _, puller in
                let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                #expect(try await puller.pull(reference, keyring: RegistryKeyring()).image.id == Self.fixture.id)
            }
        }
        let failed = try await PullFixture.refusal { _ in FakeRegistry.Answer.error(429, [("retry-after", "3600")]) }
        #expect(failed.error.code == .unavailable)
        #expect(failed.requests.count == 1)
    }
}
