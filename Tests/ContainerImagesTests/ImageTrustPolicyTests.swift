import Testing

@testable import ContainerImages

@Suite("What images must prove")
struct ImageTrustPolicyTests {
    private static let digest = ContentDigest(of: Array("manifest".utf8))
    private static let id = ContentDigest(of: Array("configuration".utf8))

    private static func image(
        _ names: [String] = ["r.io/team/app:1"], digests: [String] = ["r.io/team/app@\(digest)"],
        signers: [String: Set<String>] = [:]
    ) -> StoredImage {
        var image = StoredImage(
            id: "\(id)", names: names, digests: digests, sizeBytes: 1, createdAt: nil, config: ImageConfig(), layers: []
        )
        image.signers = signers
        return image
    }

    private static func policy(_ rules: ImageTrustPolicy.Rule...) -> ImageTrustPolicy { ImageTrustPolicy(rules: rules) }

    private static func key() throws -> SignatureKey { try #require(SignatureKey(pem: SignatureKeyTests.ecdsa)) }

    @Test("nothing, without a rule or by a name that no rule fits")
    func free() throws {
        #expect(ImageTrustPolicy().problem(of: Self.image(), as: "r.io/team/app:1") == nil)
        let other = Self.policy(ImageTrustPolicy.Rule(pattern: "r.io/other/*", keys: [try Self.key()]))
        #expect(other.problem(of: Self.image(), as: "r.io/team/app:1") == nil)
    }

    @Test("a listed digest: of the manifest, or the image's ID")
    func listed() {
        for digest in [Self.digest, Self.id] {
            let policy = Self.policy(ImageTrustPolicy.Rule(pattern: "r.io/*", digests: [digest]))
            #expect(policy.problem(of: Self.image(), as: "r.io/team/app:1") == nil)
        }
        let other = Self.policy(ImageTrustPolicy.Rule(pattern: "r.io/*", digests: [ContentDigest(of: [])]))
        #expect(other.problem(of: Self.image(), as: "r.io/team/app:1") != nil)
    }

    @Test("a signature that was verified for this name with a key that is still trusted")
    func signed() throws {
        let key = try Self.key()
        let other = try #require(SignatureKey(pem: SignatureKeyTests.ed25519))
        let policy = Self.policy(ImageTrustPolicy.Rule(pattern: "r.io/*", keys: [key]))
        func problem(_ signers: [String: Set<String>]) -> String? {
            policy.problem(of: Self.image(signers: signers), as: "r.io/team/app:1")
        }
        #expect(problem(["r.io/team/app": [key.fingerprint]]) == nil)
        #expect(problem([:]) != nil)
        #expect(problem(["r.io/team/app": [other.fingerprint]]) != nil)
        #expect(problem(["r.io/team/other": [key.fingerprint]]) != nil)
    }

    @Test("the first rule decides, whatever case and default port a name is written with")
    func order() throws {
        let policy = Self.policy(
            ImageTrustPolicy.Rule(pattern: "r.io/team/*", digests: [Self.digest]),
            ImageTrustPolicy.Rule(pattern: "*", keys: [try Self.key()]))
        #expect(policy.rule(for: "r.io/team/app")?.pattern == "r.io/team/*")
        #expect(policy.rule(for: "R.io:443/team/app")?.pattern == "r.io/team/*")
        #expect(policy.rule(for: "r.io:444/team/app")?.pattern == "*")
    }

    @Test("asked for by its ID, what one of its names must")
    func identified() throws {
        let both = Self.image(["r.io/team/app:1", "free.io/app:1"], digests: [])
        let key = try Self.key()
        let policy = Self.policy(ImageTrustPolicy.Rule(pattern: "r.io/*", keys: [key]))
        #expect(policy.problem(of: both, as: "\(Self.id)") == nil)
        #expect(policy.problem(of: Self.image(), as: "\(Self.id)") != nil)
        #expect(policy.problem(of: both, as: "r.io/team/app:1") != nil)
        let all = Self.policy(ImageTrustPolicy.Rule(pattern: "*", keys: [key]))
        #expect(all.problem(of: Self.image([], digests: ["\(Self.digest)"]), as: "\(Self.id)") != nil)
    }
}

@Suite("What a signature is over")
struct SimpleSigningPayloadTests {
    private static let digest = ContentDigest(of: Array("manifest".utf8))

    private static func payload(
        type: String = "cosign container image signature", digest: String = "\(digest)",
        reference: String = "r.io/team/app"
    ) -> SimpleSigningPayload? {
        let text =
            #"{"critical": {"identity": {"docker-reference": "\#(reference)"}, "image": {"docker-manifest-digest": "\#(digest)"}, "type": "\#(type)"}, "optional": null}"#
        return SimpleSigningPayload(parsing: Array(text.utf8))
    }

    @Test("is read: a manifest and a repository, the tag left out")
    func read() throws {
        let payload = try #require(Self.payload())
        #expect(payload.manifestDigest == Self.digest)
        #expect(payload.repository == "r.io/team/app")
        #expect(Self.payload(reference: "r.io/team/app:1")?.repository == "r.io/team/app")
        #expect(Self.payload(reference: "index.docker.io/library/nginx")?.repository == "docker.io/library/nginx")
        #expect(Self.payload(reference: "r.io/team/app@\(Self.digest)")?.repository == "r.io/team/app")
    }

    @Test("is refused when it is something else")
    func refused() {
        #expect(Self.payload(type: "attestation") == nil)
        #expect(Self.payload(digest: "sha256:1") == nil)
        #expect(Self.payload(reference: "") == nil)
        #expect(Self.payload(reference: "r.io/team/app@\(ContentDigest(of: []))") == nil)
        #expect(SimpleSigningPayload(parsing: []) == nil)
        #expect(SimpleSigningPayload(parsing: Array("{}".utf8)) == nil)
    }

    @Test("is found under its manifest's tag")
    func tag() { #expect(SimpleSigningPayload.tag(of: Self.digest) == "sha256-\(Self.digest.hexadecimal).sig") }
}
