import KubernetesAPI

/// What is known of an unpacked layer: the `layer.json` beside its `diff/`.
struct LayerRecord: Hashable, Sendable {
    let chainID: ContentDigest
    let diffID: ContentDigest
    /// Apparent size of its files.
    let bytes: Int64
    let inodes: Int64
    /// It hides everything below it.
    let opaqueRoot: Bool
    /// Of its files, taken some time after they were unpacked.
    var seal: ContentDigest?
    /// Its files were found damaged.
    var isBroken = false

    init(chainID: ContentDigest, diffID: ContentDigest, bytes: Int64, inodes: Int64, opaqueRoot: Bool) {
        self.chainID = chainID
        self.diffID = diffID
        self.bytes = bytes
        self.inodes = inodes
        self.opaqueRoot = opaqueRoot
    }

    init?(_ value: JSONValue) {
        guard let chainID = value["chainID"]?.stringValue.flatMap({ ContentDigest($0) }),
            let diffID = value["diffID"]?.stringValue.flatMap({ ContentDigest($0) }),
            let bytes = value["bytes"]?.intValue,
            bytes >= 0, let inodes = value["inodes"]?.intValue, let opaqueRoot = value["opaqueRoot"]?.boolValue
        else { return nil }
        self.init(chainID: chainID, diffID: diffID, bytes: bytes, inodes: inodes, opaqueRoot: opaqueRoot)
        seal = value["seal"]?.stringValue.flatMap { ContentDigest($0) }
        isBroken = value["broken"]?.boolValue ?? false
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "chainID": .string(chainID.description), "diffID": .string(diffID.description), "bytes": .integer(bytes),
            "inodes": .integer(inodes), "opaqueRoot": .bool(opaqueRoot),
        ]
        if let seal { members["seal"] = .string(seal.description) }
        if isBroken { members["broken"] = true }
        return .object(members)
    }
}
