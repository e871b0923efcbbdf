/// What a name stands for at a registry, down to the layers for this platform: documents verified, layers still to come.
struct ResolvedManifest: Sendable {
    let reference: ImageReference
    /// Of the manifest or index that the name stands for.
    let topDigest: ContentDigest
    let manifestDigest: ContentDigest
    let manifestBytes: [UInt8]
    let configDigest: ContentDigest
    let configBytes: [UInt8]
    let document: ImageDocument
    /// Bottom first.
    let layers: [ContentDescriptor]
    /// Who we were when it was given to us.
    let session: Int

    /// Chain identifiers, bottom first.
    let chain: [ContentDigest]

    /// Asks for the documents, one after the other.
    static func resolve(
        _ reference: ImageReference, client: RegistryClient
    ) async throws(ImageError) -> ResolvedManifest {
        let subject = "image \(ImageError.quoted(reference.description))"
        let wanted = reference.digest?.description ?? reference.tag ?? "latest"
        let top = try await client.manifest(wanted)
        let client = client.preferring(top.session)
        var (document, depth) = (top, 0)
        while true {
            switch try ImageManifest(
                parsing: document.bytes, mediaType: document.mediaType, limits: client.limits,
                subject: "\(subject), manifest \(document.digest)")
            {
            case .index(let descriptors):
                guard depth < ImageManifest.depthLimit else {
                    throw ImageError(
                        .limitExceeded, "\(subject): indexes are nested deeper than \(ImageManifest.depthLimit)")
                }
                depth += 1
                guard let chosen = try ImagePlatform.host.fitting(descriptors, subject: subject).first else {
                    throw ImageError(.invalidArchive, "\(subject): the index is empty")
                }
                document = try await client.manifest(chosen.digest.description, sizeBytes: chosen.sizeBytes)
                guard document.mediaType == chosen.mediaType else {
                    throw ImageError(
                        .invalidAnswer,
                        "\(subject), manifest \(chosen.digest): comes as another media type than the index says")
                }
            case .image(let config, let layers):
                let bytes = try await client.document(config)
                let image = try ImageDocument(parsing: bytes, limits: client.limits, subject: subject)
                try image.requireLayers(layers.count, subject: subject)
                return ResolvedManifest(
                    reference: reference, topDigest: top.digest, manifestDigest: document.digest,
                    manifestBytes: document.bytes, configDigest: config.digest, configBytes: bytes, document: image,
                    layers: layers, session: top.session, chain: ContentDigest.chain(of: image.diffIDs))
            }
        }
    }
}
