/// How much the audit log tells of a request.
public enum AuditLevel: String, Sendable, CaseIterable {
    case none = "None"
    /// Who asked for what, when, and how it ended.
    case metadata = "Metadata"
    /// The object that was sent besides, unless it is a secret.
    case request = "Request"
}

/// Where requests are written down.
public struct AuditConfiguration: Sendable {
    public var level: AuditLevel
    /// The current file; older ones have a number behind it, 1 the youngest.
    public var path: String
    /// Bytes of a file, after which another is begun.
    public var maximumBytes: Int
    /// Files kept, the current one included.
    public var maximumFiles: Int

    public init(level: AuditLevel, path: String, maximumBytes: Int = 32 << 20, maximumFiles: Int = 4) {
        self.level = level
        self.path = path
        self.maximumBytes = maximumBytes
        self.maximumFiles = maximumFiles
    }
}
