import KubernetesAPI

/// The OCI image layout as one archive: `oci-layout`, `index.json`, `blobs/sha256/…` (OCI image-spec, image-layout.md).
struct OCIArchive {
    let contents: ArchiveContents
    let limits: UnpackLimits

    func images() throws(ImageError) -> [ArchivedImage] {
        let layout = try ImageDocument.parse(
            try contents.document("oci-layout"), limits: limits, subject: "\(contents.subject), oci-layout")
        guard layout["imageLayoutVersion"]?.stringValue?.hasPrefix("1.") == true else {
            throw ImageError(.invalidArchive, "\(contents.subject), oci-layout: imageLayoutVersion is not 1.x")
        }
        let subject = "\(contents.subject), index.json"
        let index = try ImageDocument.parse(try contents.document("index.json"), limits: limits, subject: subject)
        let descriptors = try ImageManifest.descriptors(of: index, subject: subject)
        var images: [ArchivedImage] = []
        for descriptor in try ImagePlatform.host.fitting(descriptors, subject: contents.subject) {
            images.append(try image(descriptor, names: Self.names(descriptor), depth: 0))
        }
        return images
    }

    /// containerd writes the full name beside the standard annotation, which many tools fill with a bare tag.
    private static func names(_ descriptor: ContentDescriptor) -> [String] {
        let annotations = descriptor.annotations
        let names = [annotations["io.containerd.image.name"], annotations["org.opencontainers.image.ref.name"]]
        return Array(names.compactMap(\.self).prefix(1))
    }

    private func image(
        _ descriptor: ContentDescriptor, names: [String], depth: Int
    ) throws(ImageError) -> ArchivedImage {
        let bytes = try contents.blob(descriptor.digest, sizeBytes: descriptor.sizeBytes)
        let subject = "\(contents.subject), manifest \(descriptor.digest)"
        switch try ImageManifest(
            parsing: bytes, mediaType: descriptor.mediaType, limits: limits, subject: subject)
        {
        case .index(let descriptors):
            guard depth < ImageManifest.depthLimit else {
                throw ImageError(
                    .limitExceeded, "\(subject): indexes are nested deeper than \(ImageManifest.depthLimit)")
            }
            let fitting = try ImagePlatform.host.fitting(descriptors, subject: contents.subject)
            guard let chosen = fitting.first else {
                throw ImageError(.invalidArchive, "\(subject): the index is empty")
            }
            return try image(chosen, names: names, depth: depth + 1)
        case .image(let config, let layers):
            let configBytes = try contents.blob(config.digest, sizeBytes: config.sizeBytes)
            let document = try ImageDocument(parsing: configBytes, limits: limits, subject: contents.subject)
            return ArchivedImage(
                configDigest: config.digest, configBytes: configBytes, document: document, manifestBytes: bytes,
                layers: try self.layers(layers, document: document, subject: subject), names: try references(names))
        }
    }

    private func layers(
        _ descriptors: [ContentDescriptor], document: ImageDocument, subject: String
    ) throws(ImageError) -> [ArchivedImage.Layer] {
        try document.requireLayers(descriptors.count, subject: subject)
        var layers: [ArchivedImage.Layer] = []
        for (layer, diffID) in zip(descriptors, document.diffIDs) {
            guard let entry = contents.entry(ArchiveContents.blobName(layer.digest)) else {
                throw ImageError(
                    .invalidArchive, "\(contents.subject): layer \(layer.digest) is missing (truncated archive?)")
            }
            guard entry.sizeBytes == layer.sizeBytes else {
                throw ImageError(
                    .digestMismatch,
                    "\(subject): layer \(layer.digest) has \(entry.sizeBytes) bytes instead of \(layer.sizeBytes)"
                )
            }
            layers.append(
                ArchivedImage.Layer(
                    entry: entry, blobDigest: layer.digest, blobSizeBytes: layer.sizeBytes, diffID: diffID))
        }
        return layers
    }

    private func references(_ names: [String]) throws(ImageError) -> [ImageReference] {
        var references: [ImageReference] = []
        for name in names { references.append(try ImageReference(parsing: name)) }
        return references
    }
}
