import SystemPackage

extension KernelError {
    /// The place is on a file system that takes no writes.
    public var isReadOnly: Bool { errno == .readOnlyFileSystem }

    /// What the administrator can do about a place that cannot be written: a clause such as "mount it read-write".
    public var remedyForWriting: String {
        switch errno {
        case .readOnlyFileSystem: "mount it read-write"
        case .noSpace, .diskQuotaExceeded: "make room on its disk"
        case .permissionDenied, .notPermitted: "run swiftlet as root"
        case .notDirectory, .fileExists: "move away what is there"
        default: "see what is there"
        }
    }
}
