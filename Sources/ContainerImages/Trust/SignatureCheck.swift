import KubernetesAPI

/// Looks in an image's own repository for a signature of one of the keys that its name asks for (cosign's `sha256-….sig` tags).
struct SignatureCheck: Sendable {
    let rule: ImageTrustPolicy.Rule
    let reference: ImageReference
    let client: RegistryClient

    /// Signatures of one image that are looked at.
    private static let signatureLimit = 100

    private var subject: String { "image \(ImageError.quoted(reference.description))" }

    /// The fingerprint of the key that has signed one of `digests`; nil when a digest of the list lets the image in.
    ///
    /// - Parameters:
    ///   - digests: what the name stands for at the registry, and the manifest for this platform.
    ///   - others: what the list of digests may name beside these: the image's ID.
    /// - Throws: ``ImageError/Code/untrusted``; what else a registry's answers end in.
    func run(_ digests: [ContentDigest], others: [ContentDigest] = []) async throws(ImageError) -> String? {
        if rule.lists(digests + others) { return nil }
        guard !rule.keys.isEmpty else { throw untrusted("\(digests.first.map { "\($0)" } ?? "it") is not listed") }
        var reasons: [String] = []
        for digest in Self.distinct(digests) {
            switch try await signer(of: digest) {
            case .success(let fingerprint): return fingerprint
            case .failure(let reason): reasons.append(reason.text)
            }
        }
        throw untrusted(reasons.joined(separator: "; "))
    }

    private struct Reason: Error {
        let text: String
    }

    private func untrusted(_ reason: String) -> ImageError {
        ImageError(.untrusted, "\(subject): \(rule.demand(of: reference.name)): \(reason)")
    }

    private static func distinct(_ digests: [ContentDigest]) -> [ContentDigest] {
        digests.enumerated().filter { digests.firstIndex(of: $0.element) == $0.offset }.map(\.element)
    }

    private func signer(of digest: ContentDigest) async throws(ImageError) -> Result<String, Reason> {
        let manifest: RegistryClient.Document
        do throws(ImageError) {
            manifest = try await client.manifest(SimpleSigningPayload.tag(of: digest))
        } catch {
            guard error.code == .notFound else { throw error }
            return .failure(Reason(text: "\(digest) has no signatures"))
        }
        let document = try ImageDocument.parse(
            manifest.bytes, limits: client.limits, subject: "\(subject), its signatures")
        let layers = document["layers"]?.arrayValue ?? []
        guard layers.count <= Self.signatureLimit else {
            throw ImageError(.limitExceeded, "\(subject): has more than \(Self.signatureLimit) signatures")
        }
        var (looked, last) = (0, "none of the keys has made any of them")
        for layer in layers {
            let descriptor = try ContentDescriptor(layer, subject: "\(subject), its signatures")
            guard descriptor.mediaType == SimpleSigningPayload.mediaType,
                let signature = descriptor.annotations[SimpleSigningPayload.signatureAnnotation].flatMap({
                    Base64.decode($0)
                }),
                descriptor.sizeBytes <= SimpleSigningPayload.limitBytes
            else { continue }
            looked += 1
            let bytes = try await client.document(descriptor)
            guard let key = rule.keys.first(where: { $0.verifies(signature, of: bytes) }) else { continue }
            guard let payload = SimpleSigningPayload(parsing: bytes) else {
                last = "a signature is over something else than an image"
                continue
            }
            guard payload.manifestDigest == digest else {
                last = "a signature is over \(payload.manifestDigest)"
                continue
            }
            guard payload.repository == reference.name else {
                last = "a signature is for the name \(ImageError.quoted(payload.repository))"
                continue
            }
            return .success(key.fingerprint)
        }
        return .failure(
            Reason(text: looked == 0 ? "\(digest) has no signatures" : "of \(looked) signatures of \(digest): \(last)"))
    }
}
