/// One image found in an archive, its documents verified, its layers still to be read.
struct ArchivedImage {
    struct Layer {
        /// What of the archive holds it.
        let entry: ArchiveContents.Entry
        /// Digest and size of the blob as stored (compressed), where the archive promises one.
        let blobDigest: ContentDigest?
        let blobSizeBytes: Int64?
        let diffID: ContentDigest
    }

    /// SHA-256 of the configuration: the image's ID.
    let configDigest: ContentDigest
    let configBytes: [UInt8]
    let document: ImageDocument
    /// The manifest, where the archive has a real one.
    let manifestBytes: [UInt8]?
    let layers: [Layer]
    var names: [ImageReference]

    /// Identifiers of the layer directories, bottom first.
    var chainIDs: [ContentDigest] { ContentDigest.chain(of: document.diffIDs) }

    /// All images of an archive. An archive in both forms, as newer tools write it, is read in the docker form: it has
    /// full names.
    static func all(in contents: ArchiveContents, limits: UnpackLimits) throws(ImageError) -> [ArchivedImage] {
        let images: [ArchivedImage]
        if contents.hasDocument("manifest.json") {
            images = try DockerArchive(contents: contents, limits: limits).images()
        } else if contents.hasDocument("index.json") {
            images = try OCIArchive(contents: contents, limits: limits).images()
        } else {
            throw ImageError(
                .invalidArchive,
                "\(contents.subject): has no manifest.json and no index.json: not an image archive, or a truncated one"
            )
        }
        guard !images.isEmpty else { throw ImageError(.invalidArchive, "\(contents.subject): holds no image") }
        var merged: [ArchivedImage] = []
        for image in images {
            if let known = merged.firstIndex(where: { $0.configDigest == image.configDigest }) {
                merged[known].names += image.names.filter { !merged[known].names.contains($0) }
            } else {
                merged.append(image)
            }
        }
        return merged
    }
}
