/// A file that an object volume shows. Its description never shows the content.
struct VolumeFile: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Relative to the volume.
    let path: String
    let bytes: [UInt8]
    /// Permission bits.
    let mode: UInt32
    /// The host's id of its owner; nil for the volume's.
    var userID: UInt32?

    var description: String { "\(path) (\(bytes.count) bytes)" }
    var customMirror: Mirror { Mirror(self, children: ["path": path, "count": bytes.count]) }
}
