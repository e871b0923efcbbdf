import KubernetesAPI

/// A reference to a document or layer by its digest, with what is promised about it (OCI image-spec, descriptor.md).
struct ContentDescriptor: Hashable, Sendable {
    let mediaType: String
    let digest: ContentDigest
    let sizeBytes: Int64
    /// Where given.
    let platform: ImagePlatform.Claim?
    let annotations: [String: String]

    init(_ item: JSONValue, subject: String) throws(ImageError) {
        let text = item["digest"]?.stringValue ?? ""
        guard let digest = ContentDigest(text) else {
            throw ImageError(.invalidArchive, "\(subject): \(ImageError.quoted(text)) is not a sha256 digest")
        }
        guard let size = item["size"]?.intValue, size >= 0 else {
            throw ImageError(.invalidArchive, "\(subject): the descriptor of \(digest) has no valid size")
        }
        self.digest = digest
        sizeBytes = size
        mediaType = item["mediaType"]?.stringValue ?? ""
        platform = ImagePlatform.Claim(item["platform"])
        annotations = (item["annotations"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    }
}

extension ImagePlatform {
    /// The platform a descriptor says its image is for.
    struct Claim: Hashable, Sendable, CustomStringConvertible {
        let os: String
        let architecture: String
        let variant: String

        init?(_ value: JSONValue?) {
            guard let os = value?["os"]?.stringValue, let architecture = value?["architecture"]?.stringValue else {
                return nil
            }
            self.os = os
            self.architecture = architecture
            variant = value?["variant"]?.stringValue ?? ""
        }

        var description: String { os + "/" + architecture + (variant.isEmpty ? "" : "/" + variant) }

        /// 0 for what every processor of the architecture runs; more for what only newer ones may.
        fileprivate var demand: Int {
            switch (architecture, variant) {
            case (_, ""), ("amd64", "v1"), ("arm64", "v8"), ("arm", "v7"): 0
            case ("arm", "v6"): 1
            case ("arm", "v5"): 2
            default: 3
            }
        }
    }

    /// Those that are for this platform, the least demanding first; what says nothing fits.
    ///
    /// - Throws: ``ImageError/Code/platformMismatch`` when there are some and none fits (attestations say
    ///   `unknown/unknown`).
    func fitting(_ descriptors: [ContentDescriptor], subject: String) throws(ImageError) -> [ContentDescriptor] {
        let fitting = descriptors.enumerated().filter { _, descriptor in
            descriptor.platform.map { $0.os == os && $0.architecture == architecture } ?? true
        }
        guard !fitting.isEmpty || descriptors.isEmpty else {
            let offered = Set(descriptors.compactMap { $0.platform.map { "\($0.os)/\($0.architecture)" } })
                .sorted().prefix(10).joined(separator: ", ")
            throw ImageError(
                .platformMismatch,
                "\(subject): the image is for \(ImageError.quoted(offered)), this node is \(self)")
        }
        return fitting.sorted {
            ($0.element.platform?.demand ?? 0, $0.offset) < ($1.element.platform?.demand ?? 0, $1.offset)
        }.map(\.element)
    }
}

/// A manifest or an index, read to the letter: a document that could be taken for both is refused.
enum ImageManifest {
    case index([ContentDescriptor])
    case image(config: ContentDescriptor, layers: [ContentDescriptor])

    static let imageTypes: Set<String> = [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
    ]
    static let indexTypes: Set<String> = [
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
    private static let configTypes: Set<String> = [
        "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
    ]
    /// An index within an index, and one more.
    static let depthLimit = 3
    private static let descriptorLimit = 1000

    /// - Parameter mediaType: as the descriptor or the registry says.
    init(
        parsing bytes: [UInt8], mediaType: String, limits: UnpackLimits, subject: String
    ) throws(ImageError) {
        let isIndex = Self.indexTypes.contains(mediaType)
        guard isIndex || Self.imageTypes.contains(mediaType) else {
            throw ImageError(
                .invalidArchive, "\(subject): media type \(ImageError.quoted(mediaType)) is not an image manifest")
        }
        let document = try ImageDocument.parse(bytes, limits: limits, subject: subject)
        guard document["mediaType"] == nil || document["mediaType"]?.stringValue == mediaType else {
            throw ImageError(.invalidArchive, "\(subject): its media type is not the one its descriptor gives")
        }
        self =
            isIndex
            ? try .index(Self.descriptors(of: document, subject: subject))
            : try Self.image(document, limits: limits, subject: subject)
    }

    static func descriptors(of index: JSONValue, subject: String) throws(ImageError) -> [ContentDescriptor] {
        guard let items = index["manifests"]?.arrayValue, index["layers"] == nil else {
            throw ImageError(.invalidArchive, "\(subject): an index has \"manifests\" and no \"layers\"")
        }
        guard items.count <= descriptorLimit else {
            throw ImageError(.limitExceeded, "\(subject): lists more than \(descriptorLimit) manifests")
        }
        var descriptors: [ContentDescriptor] = []
        for item in items { descriptors.append(try ContentDescriptor(item, subject: subject)) }
        return descriptors
    }

    private static func image(
        _ manifest: JSONValue, limits: UnpackLimits, subject: String
    ) throws(ImageError) -> ImageManifest {
        // A document that is both could be read as another image by another tool (CVE-2021-41190).
        guard manifest["manifests"] == nil, let config = manifest["config"],
            let items = manifest["layers"]?.arrayValue
        else {
            throw ImageError(
                .invalidArchive, "\(subject): a manifest has \"config\" and \"layers\" and no \"manifests\"")
        }
        guard items.count <= limits.layers else {
            throw ImageError(.limitExceeded, "\(subject): has \(items.count) layers, more than \(limits.layers)")
        }
        let descriptor = try ContentDescriptor(config, subject: subject)
        guard configTypes.contains(descriptor.mediaType) else {
            throw ImageError(
                .invalidArchive, "\(subject): \(ImageError.quoted(descriptor.mediaType)) is not a container image")
        }
        var layers: [ContentDescriptor] = []
        for item in items { layers.append(try ContentDescriptor(item, subject: subject)) }
        return .image(config: descriptor, layers: layers)
    }
}
