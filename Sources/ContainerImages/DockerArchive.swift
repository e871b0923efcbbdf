import KubernetesAPI

/// The `docker save` form: `manifest.json` lists, for each image, its configuration, names and layers by entry name.
struct DockerArchive {
    let contents: ArchiveContents
    let limits: UnpackLimits

    func images() throws(ImageError) -> [ArchivedImage] {
        let subject = "\(contents.subject), manifest.json"
        let manifest = try ImageDocument.parse(try contents.document("manifest.json"), limits: limits, subject: subject)
        guard let items = manifest.arrayValue, items.count <= 1000 else {
            throw ImageError(.invalidArchive, "\(subject): must be a list of at most 1000 images")
        }
        var images: [ArchivedImage] = []
        for item in items { images.append(try image(item, subject: subject)) }
        return images
    }

    private func image(_ item: JSONValue, subject: String) throws(ImageError) -> ArchivedImage {
        guard let configName = item["Config"]?.stringValue, let layerItems = item["Layers"]?.arrayValue else {
            throw ImageError(.invalidArchive, "\(subject): an image has no Config or no Layers")
        }
        let bytes = try contents.document(configName)
        if let promised = promisedDigest(contents.entryName(configName)) {
            _ = try contents.blob(promised, sizeBytes: nil)
        }
        let document = try ImageDocument(parsing: bytes, limits: limits, subject: contents.subject)
        guard layerItems.count == document.diffIDs.count else {
            throw ImageError(
                .invalidArchive,
                "\(subject): lists \(layerItems.count) layers, the image configuration \(document.diffIDs.count)")
        }
        var layers: [ArchivedImage.Layer] = []
        for (item, diffID) in zip(layerItems, document.diffIDs) {
            let name = item.stringValue ?? ""
            guard let entry = contents.entry(name) else {
                throw ImageError(
                    .invalidArchive,
                    "\(contents.subject): layer \(ImageError.quoted(name)) is missing (truncated archive?)")
            }
            layers.append(
                ArchivedImage.Layer(
                    entry: entry, blobDigest: promisedDigest(contents.entryName(name)), blobSizeBytes: nil,
                    diffID: diffID))
        }
        var names: [ImageReference] = []
        for tag in item["RepoTags"]?.arrayValue ?? [] {
            let name = try ImageReference(parsing: tag.stringValue ?? "")
            if !names.contains(name) { names.append(name) }
        }
        return ArchivedImage(
            configDigest: ContentDigest(of: bytes), configBytes: bytes, document: document, manifestBytes: nil,
            layers: layers,
            names: names)
    }

    /// Newer tools name entries as in an OCI layout, which promises their digest.
    private func promisedDigest(_ entryName: String?) -> ContentDigest? {
        guard let entryName, entryName.hasPrefix("blobs/sha256/") else { return nil }
        return ContentDigest(hexadecimal: entryName.dropFirst("blobs/sha256/".count))
    }
}
