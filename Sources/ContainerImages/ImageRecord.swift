import KubernetesAPI

/// What the store remembers of an image beside its configuration, as one JSON object on disk.
struct ImageRecord: Hashable, Sendable {
    let id: ContentDigest
    var names: [String]
    /// Digest of the manifest, where there was one.
    let manifest: ContentDigest?
    let sizeBytes: Int64
    /// Chain identifiers, bottom first.
    let layers: [ContentDigest]
    /// `registry/repository@digest` under which it was pulled: of an index, where its name is that of one.
    var pulledDigests: [String] = []
    /// Who may use it; `nil` when it was not pulled, which is for everybody.
    var access: ImageAccess?
    /// Fingerprints of the keys that have vouched for it, by `registry/repository`.
    var signers: [String: Set<String>] = [:]
    /// Never collected.
    var isPinned = false
    /// A document of it was found damaged.
    var isBroken = false

    /// `nil` when a field is missing or of the wrong type.
    init?(_ value: JSONValue) {
        guard let id = value["id"]?.stringValue.flatMap({ ContentDigest($0) }), let size = value["sizeBytes"]?.intValue,
            size >= 0, let names = value["names"]?.arrayValue, let layers = value["layers"]?.arrayValue
        else { return nil }
        self.id = id
        self.names = names.compactMap { $0.stringValue }
        self.layers = layers.compactMap { $0.stringValue.flatMap { ContentDigest($0) } }
        manifest = value["manifest"]?.stringValue.flatMap { ContentDigest($0) }
        sizeBytes = size
        pulledDigests = (value["pulledDigests"]?.arrayValue ?? []).compactMap(\.stringValue)
        if let access = value["access"] {
            // Unreadable means nobody, not everybody.
            self.access = ImageAccess(access) ?? ImageAccess()
        }
        // Before there were pins, what was imported could not be got again either.
        isPinned = value["pinned"]?.boolValue ?? (access == nil && !names.isEmpty)
        isBroken = value["broken"]?.boolValue ?? false
        signers = (value["signers"]?.objectValue ?? [:]).mapValues {
            Set(($0.arrayValue ?? []).compactMap(\.stringValue))
        }
        guard self.names.count == names.count, self.layers.count == layers.count, !layers.isEmpty else { return nil }
    }

    init(
        id: ContentDigest, names: [String], manifest: ContentDigest?, sizeBytes: Int64, layers: [ContentDigest],
        pulledDigests: [String] = [], access: ImageAccess? = nil, signers: [String: Set<String>] = [:],
        isPinned: Bool = false
    ) {
        self.id = id
        self.names = names
        self.manifest = manifest
        self.sizeBytes = sizeBytes
        self.layers = layers
        self.pulledDigests = pulledDigests
        self.access = access
        self.signers = signers
        self.isPinned = isPinned
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id.description),
            "names": .array(names.map { .string($0) }),
            "sizeBytes": .integer(sizeBytes),
            "layers": .array(layers.map { .string($0.description) }),
            "pinned": .bool(isPinned),
        ]
        if let manifest { members["manifest"] = .string(manifest.description) }
        if !pulledDigests.isEmpty { members["pulledDigests"] = .array(pulledDigests.map { .string($0) }) }
        if let access { members["access"] = access.json }
        if isBroken { members["broken"] = true }
        if !signers.isEmpty {
            members["signers"] = .object(signers.mapValues { .array($0.sorted().map { .string($0) }) })
        }
        return .object(members)
    }

    /// The image as callers see it.
    func image(_ document: ImageDocument) -> StoredImage {
        var digests = pulledDigests
        if let manifest, digests.isEmpty {
            let repositories = Set(names.compactMap { try? ImageReference(parsing: $0).name }).sorted()
            digests = repositories.isEmpty ? [manifest.description] : repositories.map { "\($0)@\(manifest)" }
        }
        var image = StoredImage(
            id: id.description, names: names.sorted(), digests: digests, sizeBytes: sizeBytes,
            createdAt: document.createdAt,
            config: document.config, layers: layers.map(\.description), isPinned: isPinned)
        image.signers = signers
        return image
    }
}
