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
    }

    var json: JSONValue {
        [
            "chainID": .string(chainID.description), "diffID": .string(diffID.description), "bytes": .integer(bytes),
            "inodes": .integer(inodes), "opaqueRoot": .bool(opaqueRoot),
        ]
    }
}
