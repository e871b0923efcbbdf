import KubernetesAPI

/// An image this node has, ready to run.
public struct StoredImage: Hashable, Sendable {
    /// `sha256:` and the digest of its configuration.
    public let id: String
    /// Normalised names, sorted; empty for an image whose name moved on to another.
    public var names: [String]
    /// `registry/repository@sha256:…` of its manifest, or the bare digest while it has no name; empty for docker
    /// archives, which
    /// carry no manifest.
    public var digests: [String]
    /// Bytes of its files and configuration, unpacked; layers shared with other images count in each.
    public let sizeBytes: Int64
    /// RFC 3339, as the image says.
    public let createdAt: String?
    public let config: ImageConfig
    /// Chain identifiers of its layers, bottom first.
    public let layers: [String]
    /// Fingerprints of the keys that have vouched for it when it was pulled, by `registry/repository`.
    public var signers: [String: Set<String>] = [:]
    /// Never collected.
    public var isPinned: Bool
    /// Something of it was found damaged: it is not used until it was got again.
    public var isBroken = false
    /// A pod needed it at the last look.
    public var isInUse = false
    /// When a pod needed it last, in seconds since 1970; nil when none ever did.
    public var lastUsedSeconds: Int64?

    public init(
        id: String, names: [String], digests: [String], sizeBytes: Int64, createdAt: String?, config: ImageConfig,
        layers: [String], isPinned: Bool = false
    ) {
        self.id = id
        self.names = names
        self.digests = digests
        self.sizeBytes = sizeBytes
        self.createdAt = createdAt
        self.config = config
        self.layers = layers
        self.isPinned = isPinned
    }
}
