/// Why the store cannot do its work. Each line names the file, the reason and the way out.
public enum StoreError: Error, Sendable, CustomStringConvertible {
    /// The file exists but is no swiftlet database, or one of a newer release.
    case wrongFile(path: String, reason: String)
    /// The file is damaged: nothing of it is served.
    case corrupted(path: String, reason: String)
    /// Another process has the file open.
    case inUse(path: String)
    /// The file cannot be opened or created.
    case cannotOpen(path: String, reason: String)
    /// The disk is full: nothing of the write was kept, and the store goes on serving.
    case full(path: String)
    /// The write failed for another reason: nothing of it was kept.
    case writeFailed(path: String, reason: String)
    /// The store has been closed.
    case closed

    public var description: String {
        switch self {
        case .wrongFile(let path, let reason):
            "\(path) is not a database this release can serve: \(reason); move it away or use another --root"
        case .corrupted(let path, let reason):
            "\(path) is damaged and is not served: \(reason); restore a backup or move it away to start empty"
        case .inUse(let path): "\(path) is in use by another process; stop that one or use another --root"
        case .cannotOpen(let path, let reason): "cannot open \(path): \(reason)"
        case .full(let path): "no space left on the disk of \(path)"
        case .writeFailed(let path, let reason): "cannot write to \(path): \(reason)"
        case .closed: "the store is closed"
        }
    }
}
