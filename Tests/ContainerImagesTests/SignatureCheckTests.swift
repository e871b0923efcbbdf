import Crypto
import KubernetesAPI
import Synchronization
import Testing

@testable import ContainerImages

/// Whole pulls of an image whose name asks for a signature, from a registry that has good ones, bad ones or none.
@Suite("SignatureCheck")
struct SignatureCheckTests {
    /// One entry of the manifest under an image's signature tag.
    struct Signature: Sendable {
        var key: P256.Signing.PrivateKey
        /// nil: of the image's manifest.
        var digest: ContentDigest?
        /// nil: under which it is pulled.
        var repository: String?
        var mediaType = SimpleSigningPayload.mediaType
        /// Instead of the signature.
        var text: String?
        /// Instead of a payload.
        var payload: [UInt8]?

        init(_ key: P256.Signing.PrivateKey) { self.key = key }
    }

    private static let fixture = ImageFixture([[.file("one")]])
    private static let manifest = ContentDigest(of: fixture.manifest.serialized())

    private static func key(_ key: P256.Signing.PrivateKey) throws -> SignatureKey {
        try #require(SignatureKey(pem: key.publicKey.pemRepresentation))
    }

    private static func policy(
        _ keys: [P256.Signing.PrivateKey], digests: Set<ContentDigest> = []
    ) throws -> ImageTrustPolicy {
        let keys = try keys.map { try key($0) }
        return ImageTrustPolicy(rules: [ImageTrustPolicy.Rule(pattern: "*/team/*", digests: digests, keys: Set(keys))])
    }

    /// A registry that has the image, and these signatures of it.
    private static func answer(_ signatures: [Signature], over signed: ContentDigest = manifest) -> FakeRegistry.Handler
    {
        { request in
            var content = FakeRegistry.Content.image(fixture)
            var layers: [JSONValue] = []
            for signature in signatures {
                let name = signature.repository ?? "\(request.header("host") ?? "")/team/app"
                let payload =
                    signature.payload
                    ?? Array(
                        #"{"critical": {"identity": {"docker-reference": "\#(name)"}, "image": {"docker-manifest-digest": "\#(signature.digest ?? manifest)"}, "type": "cosign container image signature"}}"#
                            .utf8)
                content.add(blob: payload)
                guard let made = try? signature.key.signature(for: payload) else { continue }
                var layer = ImageFixture.descriptor(signature.mediaType, payload)
                let text = signature.text ?? Base64.encode(Array(made.derRepresentation))
                layer["annotations"] = [SimpleSigningPayload.signatureAnnotation: .string(text)]
                layers.append(.object(layer))
            }
            if !layers.isEmpty {
                let document: JSONValue = ["schemaVersion": 2, "layers": .array(layers)]
                content.add(
                    manifest: document.serialized(), type: ImageFixture.manifestType,
                    tag: SimpleSigningPayload.tag(of: signed))
            }
            return content.answer(request)
        }
    }

    private static func pull(
        _ handler: @escaping FakeRegistry.Handler, _ policy: ImageTrustPolicy
    ) async throws -> (result: Result<ImagePuller.Outcome, any Error>, left: [String], requests: [FakeRegistry.Request])
    {
        var found: (Result<ImagePuller.Outcome, any Error>, [String], [FakeRegistry.Request])?
        try await FakeRegistry.run(handler) { registry in
            try await PullFixture.run(plain: [registry.host], trust: { policy }) { store, puller in
                let result = await Result { () async throws in
                    try await puller.pull(
                        try ImageReference(parsing: "\(registry.host)/team/app:1"), keyring: RegistryKeyring())
                }
                found = (result, try store.stored(), registry.requests)
            }
        }
        return try #require(found)
    }

    @Test("an image signed with one of the keys is pulled, and the key is kept with it under its name")
    func signed() async throws {
        let (key, other) = (P256.Signing.PrivateKey(), P256.Signing.PrivateKey())
        var wrong = Signature(key)
        wrong.digest = ContentDigest(of: [])
        // The first that holds is enough, whatever else is there.
        let (result, _, requests) = try await Self.pull(
            Self.answer([Signature(P256.Signing.PrivateKey()), wrong, Signature(key)]), Self.policy([other, key]))
        let image = try result.get().image
        #expect(image.signers.values.map { $0 } == [[try Self.key(key).fingerprint]])
        #expect(image.signers.keys.allSatisfy { $0.hasSuffix("/team/app") })
        #expect(requests.contains { $0.path.hasSuffix("/manifests/\(SimpleSigningPayload.tag(of: Self.manifest))") })
    }

    static let refusals: [(String, String, @Sendable (P256.Signing.PrivateKey) -> [Signature])] = [
        ("no signature", "has no signatures", { _ in [] }),
        ("another key's", "none of the keys", { _ in [Signature(P256.Signing.PrivateKey())] }),
        (
            "of another image", "a signature is over sha256:",
            { key in
                var signature = Signature(key)
                signature.digest = ContentDigest(of: Array("another".utf8))
                return [signature]
            }
        ),
        (
            "for another name", "a signature is for the name",
            { key in
                var signature = Signature(key)
                signature.repository = "r.io/team/other"
                return [signature]
            }
        ),
        (
            "over something else", "over something else than an image",
            { key in
                var signature = Signature(key)
                signature.payload = Array(#"{"critical": {"type": "attestation"}}"#.utf8)
                return [signature]
            }
        ),
        (
            "of another media type", "has no signatures",
            { key in
                var signature = Signature(key)
                signature.mediaType = "application/octet-stream"
                return [signature]
            }
        ),
        (
            "that is no Base64", "has no signatures",
            { key in
                var signature = Signature(key)
                signature.text = "***"
                return [signature]
            }
        ),
        (
            "that is empty", "none of the keys",
            { key in
                var signature = Signature(key)
                signature.text = ""
                return [signature]
            }
        ),
        (
            "over a payload beyond the limit", "has no signatures",
            { key in
                var signature = Signature(key)
                signature.payload = [UInt8](repeating: 0x20, count: Int(SimpleSigningPayload.limitBytes) + 1)
                return [signature]
            }
        ),
    ]

    @Test("without a signature that holds nothing of an image is fetched or kept", arguments: refusals.indices)
    func refused(_ index: Int) async throws {
        let (name, reason, signatures) = Self.refusals[index]
        let key = P256.Signing.PrivateKey()
        let (result, left, requests) = try await Self.pull(Self.answer(signatures(key)), Self.policy([key]))
        guard case .failure(let error as ImageError) = result else {
            Issue.record("\(name): \(result)")
            return
        }
        #expect(error.code == .untrusted, "\(name): \(error)")
        #expect(error.message.contains(reason), "\(name): \(error)")
        #expect(!error.message.contains("\n"))
        #expect(left.isEmpty)
        let layers = Self.fixture.storedLayers.map { "\(ContentDigest(of: $0))" }
        #expect(!requests.contains { request in layers.contains { request.path.hasSuffix($0) } }, "\(name)")
    }

    @Test("more signatures than anybody makes are not gone through")
    func many() async throws {
        let key = P256.Signing.PrivateKey()
        let (result, left, _) = try await Self.pull(
            Self.answer([Signature](repeating: Signature(key), count: 101)), Self.policy([key]))
        #expect(throws: ImageError.self) { try result.get() }
        if case .failure(let error as ImageError) = result { #expect(error.code == .limitExceeded, "\(error)") }
        #expect(left.isEmpty)
    }

    @Test("a registry that cannot say whether there are signatures lets nothing in")
    func unanswered() async throws {
        let key = P256.Signing.PrivateKey()
        let good = Self.answer([Signature(key)])
        let (result, left, _) = try await Self.pull(
            { request in request.path.hasSuffix(".sig") ? .error(403) : good(request) }, Self.policy([key]))
        #expect(throws: ImageError.self) { try result.get() }
        #expect(left.isEmpty)
    }

    @Test("a listed digest, of the manifest or the image's ID, needs no signature, and none is asked for")
    func listed() async throws {
        for digest in [Self.manifest, ContentDigest(of: Self.fixture.configBytes)] {
            let key = P256.Signing.PrivateKey()
            let (result, _, requests) = try await Self.pull(Self.answer([]), Self.policy([key], digests: [digest]))
            #expect(try result.get().image.signers.isEmpty)
            #expect(!requests.contains { $0.path.hasSuffix(".sig") })
        }
        let (result, left, _) = try await Self.pull(
            Self.answer([]), Self.policy([], digests: [ContentDigest(of: Array("another".utf8))]))
        guard case .failure(let error as ImageError) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(error.code == .untrusted)
        #expect(error.message.contains("is not listed"), "\(error)")
        #expect(left.isEmpty)
    }

    @Test("what is here is asked again once the policy is another, and once its key is withdrawn")
    func distrusted() async throws {
        let (key, next) = (P256.Signing.PrivateKey(), P256.Signing.PrivateKey())
        let trust = Mutex(ImageTrustPolicy())
        let signatures = Mutex<[Signature]>([])
        try await FakeRegistry.run({ Self.answer(signatures.withLock { $0 })($0) }) { registry in
            try await PullFixture.run(plain: [registry.host], trust: { trust.withLock { $0 } }) { store, puller in
                let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                let name = reference.description
                func pull() async throws -> StoredImage {
                    try await puller.pull(reference, keyring: RegistryKeyring()).image
                }
                let image = try await pull()
                #expect(trust.withLock { $0.problem(of: image, as: name) } == nil)
                let strict = try Self.policy([key])
                trust.withLock { $0 = strict }
                #expect(strict.problem(of: image, as: name) != nil)
                let error = await #expect(throws: ImageError.self) { try await pull() }
                #expect(error?.code == .untrusted)
                // Refused, not removed: whoever runs it already goes on.
                #expect(await store.manager.resolve(name)?.id == image.id)
                signatures.withLock { $0 = [Signature(key)] }
                #expect(strict.problem(of: try await pull(), as: name) == nil)
                // A restart knows what was proved.
                let again = ImageManager(root: store.root)
                try await again.start()
                #expect(strict.problem(of: try #require(await again.resolve(name)), as: name) == nil)
                let withdrawn = try Self.policy([next])
                trust.withLock { $0 = withdrawn }
                #expect(withdrawn.problem(of: try #require(await again.resolve(name)), as: name) != nil)
                await #expect(throws: ImageError.self) { try await pull() }
            }
        }
    }
}
