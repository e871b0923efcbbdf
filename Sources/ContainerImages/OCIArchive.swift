import KubernetesAPI

/// The OCI image layout as one archive: `oci-layout`, `index.json`, `blobs/sha256/…` (OCI image-spec, image-layout.md).
struct OCIArchive {
    let contents: ArchiveContents
    let limits: UnpackLimits

    private static let manifestTypes: Set<String> = [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
    ]
    private static let indexTypes: Set<String> = [
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
    private static let configTypes: Set<String> = [
        "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
    ]

    /// A reference to a blob, with what is promised about it.
    private struct Descriptor {
        let mediaType: String
        let digest: ContentDigest
        let sizeBytes: Int64
        /// `os/architecture`, where given.
        let platform: String?
        let names: [String]
    }

    func images() throws(ImageError) -> [ArchivedImage] {
        let layout = try ImageDocument.parse(
            try contents.document("oci-layout"), limits: limits, subject: "\(contents.subject), oci-layout")
        guard layout["imageLayoutVersion"]?.stringValue?.hasPrefix("1.") == true else {
            throw ImageError(.invalidArchive, "\(contents.subject), oci-layout: imageLayoutVersion is not 1.x")
        }
        let descriptors = try descriptors(
            of: try contents.document("index.json"), subject: "\(contents.subject), index.json")
        var images: [ArchivedImage] = []
        for descriptor in try forThisPlatform(descriptors) {
            images.append(try image(descriptor, names: descriptor.names, depth: 0))
        }
        return images
    }

    // MARK: Indexes

    private func descriptors(of bytes: [UInt8], subject: String) throws(ImageError) -> [Descriptor] {
        let index = try ImageDocument.parse(bytes, limits: limits, subject: subject)
        guard let items = index["manifests"]?.arrayValue, index["layers"] == nil else {
            throw ImageError(.invalidArchive, "\(subject): an index has \"manifests\" and no \"layers\"")
        }
        guard items.count <= 1000 else {
            throw ImageError(.limitExceeded, "\(subject): lists more than 1000 manifests")
        }
        var descriptors: [Descriptor] = []
        for item in items { descriptors.append(try descriptor(item, subject: subject)) }
        return descriptors
    }

    private func descriptor(_ item: JSONValue, subject: String) throws(ImageError) -> Descriptor {
        let text = item["digest"]?.stringValue ?? ""
        guard let digest = ContentDigest(text) else {
            throw ImageError(.invalidArchive, "\(subject): \(ImageError.quoted(text)) is not a sha256 digest")
        }
        guard let size = item["size"]?.intValue, size >= 0 else {
            throw ImageError(.invalidArchive, "\(subject): the descriptor of \(digest) has no valid size")
        }
        var platform: String?
        if let os = item["platform"]?["os"]?.stringValue,
            let architecture = item["platform"]?["architecture"]?.stringValue
        {
            platform = os + "/" + architecture
        }
        let annotations = item["annotations"]
        // containerd writes the full name beside the standard annotation, which many tools fill with a bare tag.
        let names = [annotations?["io.containerd.image.name"], annotations?["org.opencontainers.image.ref.name"]]
            .compactMap { $0?.stringValue }.prefix(1)
        return Descriptor(
            mediaType: item["mediaType"]?.stringValue ?? "", digest: digest, sizeBytes: size, platform: platform,
            names: Array(names))
    }

    /// Drops what says it is for another platform (attestations say `unknown/unknown`).
    private func forThisPlatform(_ descriptors: [Descriptor]) throws(ImageError) -> [Descriptor] {
        let host = ImagePlatform.host.description
        let fitting = descriptors.filter { $0.platform == nil || $0.platform == host }
        guard !fitting.isEmpty || descriptors.isEmpty else {
            let offered = Set(descriptors.compactMap(\.platform)).sorted().prefix(10).joined(separator: ", ")
            throw ImageError(
                .platformMismatch,
                "\(contents.subject): the image is for \(ImageError.quoted(offered)), this node is \(host)")
        }
        return fitting
    }

    // MARK: Manifests

    private func image(_ descriptor: Descriptor, names: [String], depth: Int) throws(ImageError) -> ArchivedImage {
        let bytes = try contents.blob(descriptor.digest, sizeBytes: descriptor.sizeBytes)
        let subject = "\(contents.subject), manifest \(descriptor.digest)"
        if Self.indexTypes.contains(descriptor.mediaType) {
            guard depth < 3 else { throw ImageError(.limitExceeded, "\(subject): indexes are nested deeper than 3") }
            guard let chosen = try forThisPlatform(try descriptors(of: bytes, subject: subject)).first else {
                throw ImageError(.invalidArchive, "\(subject): the index is empty")
            }
            return try image(chosen, names: names, depth: depth + 1)
        }
        guard Self.manifestTypes.contains(descriptor.mediaType) else {
            throw ImageError(
                .invalidArchive,
                "\(subject): media type \(ImageError.quoted(descriptor.mediaType)) is not an image manifest")
        }
        let manifest = try ImageDocument.parse(bytes, limits: limits, subject: subject)
        // A document that is both could be read as another image by another tool (CVE-2021-41190).
        guard manifest["manifests"] == nil, let config = manifest["config"],
            let layerItems = manifest["layers"]?.arrayValue
        else {
            throw ImageError(
                .invalidArchive, "\(subject): a manifest has \"config\" and \"layers\" and no \"manifests\"")
        }
        guard manifest["mediaType"] == nil || manifest["mediaType"]?.stringValue == descriptor.mediaType else {
            throw ImageError(.invalidArchive, "\(subject): its media type is not the one its descriptor gives")
        }
        let configDescriptor = try self.descriptor(config, subject: subject)
        guard Self.configTypes.contains(configDescriptor.mediaType) else {
            throw ImageError(
                .invalidArchive, "\(subject): \(ImageError.quoted(configDescriptor.mediaType)) is not a container image"
            )
        }
        let configBytes = try contents.blob(configDescriptor.digest, sizeBytes: configDescriptor.sizeBytes)
        let document = try ImageDocument(parsing: configBytes, limits: limits, subject: contents.subject)
        return ArchivedImage(
            configDigest: configDescriptor.digest, configBytes: configBytes, document: document, manifestBytes: bytes,
            layers: try layers(layerItems, document: document, subject: subject), names: try references(names))
    }

    private func layers(
        _ items: [JSONValue], document: ImageDocument, subject: String
    ) throws(ImageError) -> [ArchivedImage.Layer] {
        guard items.count == document.diffIDs.count else {
            throw ImageError(
                .invalidArchive,
                "\(subject): lists \(items.count) layers, the image configuration \(document.diffIDs.count)")
        }
        var layers: [ArchivedImage.Layer] = []
        for (item, diffID) in zip(items, document.diffIDs) {
            let layer = try descriptor(item, subject: subject)
            guard let entry = contents.entryName(ArchiveContents.blobName(layer.digest)) else {
                throw ImageError(
                    .invalidArchive, "\(contents.subject): layer \(layer.digest) is missing (truncated archive?)")
            }
            let actual = contents.sizeBytes(entry) ?? 0
            guard actual == layer.sizeBytes else {
                throw ImageError(
                    .digestMismatch,
                    "\(subject): layer \(layer.digest) has \(actual) bytes instead of \(layer.sizeBytes)"
                )
            }
            layers.append(
                ArchivedImage.Layer(
                    entryName: entry, blobDigest: layer.digest, blobSizeBytes: layer.sizeBytes, diffID: diffID))
        }
        return layers
    }

    private func references(_ names: [String]) throws(ImageError) -> [ImageReference] {
        var references: [ImageReference] = []
        for name in names { references.append(try ImageReference(parsing: name)) }
        return references
    }
}
