import KubernetesAPI

/// What a signature is over: which manifest, under which name (containers/image, "Container signature format"; cosign,
/// "Signature specification").
struct SimpleSigningPayload: Hashable, Sendable {
    static let mediaType = "application/vnd.dev.cosign.simplesigning.v1+json"
    static let signatureAnnotation = "dev.cosignproject.cosign/signature"
    static let limitBytes: Int64 = 64 << 10

    private static let types: Set<String> = [
        "cosign container image signature", "https://sigstore.dev/cosign/sign/v1",
    ]

    let manifestDigest: ContentDigest
    /// `registry/repository`.
    let repository: String

    /// `nil` for anything that is not a signature's payload.
    init?(parsing bytes: [UInt8]) {
        guard let document = try? JSONValue(parsing: bytes), let critical = document["critical"],
            let type = critical["type"]?.stringValue, Self.types.contains(type),
            let digest = critical["image"]?["docker-manifest-digest"]?.stringValue.flatMap({ ContentDigest($0) }),
            let text = critical["identity"]?["docker-reference"]?.stringValue,
            let reference = try? ImageReference(parsing: text), reference.digest == nil || reference.digest == digest
        else { return nil }
        manifestDigest = digest
        repository = reference.name
    }

    /// The tag that has the signatures of a manifest, in its own repository.
    static func tag(of manifest: ContentDigest) -> String { "sha256-\(manifest.hexadecimal).sig" }
}
