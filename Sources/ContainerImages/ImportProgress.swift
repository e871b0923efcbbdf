/// How far an import is, for a progress line.
public struct ImportProgress: Hashable, Sendable {
    public enum Stage: Hashable, Sendable {
        /// Looking for the manifests.
        case reading
        /// `done` of the `total` layers this node does not have yet are unpacked.
        case unpacking(done: Int, total: Int)
        /// Waiting for the disk.
        case storing
    }

    public let stage: Stage
    /// Bytes of the archive file passed so far in this stage.
    public let bytes: Int64
    /// Size of the archive file.
    public let totalBytes: Int64
}
