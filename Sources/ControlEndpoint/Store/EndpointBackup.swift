internal import Glibc
internal import LinuxKernel

/// A backup of the endpoint: the database, and the keys without which its secrets and certificates are worth nothing.
public enum EndpointBackup {
    static let database = "state.db"
    private static let keys = "pki"
    /// Where the running endpoint puts its copy; moved away by whoever asked for it.
    public static let copyName = "state.db.copy"
    /// Where the running endpoint is asked for its copy.
    public static let requestPath = EndpointAPI.copyRequestPath
    private static let fileLimit = 1 << 20

    /// Puts a backup together from the copy that the running endpoint has made.
    /// - Parameters:
    ///   - root: the endpoint's directory.
    ///   - directory: does not exist yet, or is empty.
    public static func collect(root: String, into directory: String) throws {
        try FileSystem.makeDirectories(directory, mode: 0o700)
        guard try FileSystem.list(directory).isEmpty else {
            throw BackupError("\(directory) is not empty: give a new directory")
        }
        try copyKeys(from: root, to: directory)
        try copy("\(root)/\(copyName)", to: "\(directory)/\(database)")
        try DirectoryChange.remove("\(root)/\(copyName)")
        try DirectoryChange.sync(directory)
    }

    /// Checks a backup and puts it in the place of what an endpoint that does not run has; the old database is kept beside it.
    /// - Returns: how many objects it holds.
    public static func restore(_ directory: String, to root: String) throws -> Int {
        guard FileSystem.exists("\(directory)/\(database)"), FileSystem.exists("\(directory)/\(keys)/secrets.key")
        else {
            throw BackupError("\(directory) is no backup: it lacks \(database) or \(keys)/secrets.key")
        }
        try FileSystem.makeDirectories(root, mode: 0o700)
        let staged = "\(root)/\(database).restored"
        for suffix in ["", "-wal", "-shm"] { try DirectoryChange.remove(staged + suffix) }
        try copy("\(directory)/\(database)", to: staged)
        let seal = try ObjectSeal.loadOrCreate(directory: "\(directory)/\(keys)")
        let opened = try ObjectDatabase(path: staged, seal: seal)
        let count: Int
        do {
            count = try opened.load().objects.count
            try opened.skipVersions()
            try opened.close()
        } catch {
            try? opened.close()
            try DirectoryChange.remove(staged)
            throw error
        }
        for suffix in ["-wal", "-shm"] { try DirectoryChange.remove(staged + suffix) }
        try copyKeys(from: directory, to: root)
        if FileSystem.exists("\(root)/\(database)") {
            // Its log holds what was not yet in it; without it the old file would be an older one.
            for suffix in ["-wal", ""] where FileSystem.exists("\(root)/\(database)\(suffix)") {
                try DirectoryChange.rename("\(root)/\(database)\(suffix)", to: "\(root)/\(database).replaced\(suffix)")
            }
        }
        try DirectoryChange.rename(staged, to: "\(root)/\(database)")
        try DirectoryChange.sync(root)
        return count
    }

    private static func copyKeys(from source: String, to destination: String) throws {
        try FileSystem.makeDirectories("\(destination)/\(keys)", mode: 0o700)
        for name in try FileSystem.list("\(source)/\(keys)").sorted() {
            let content = try FileSystem.read("\(source)/\(keys)/\(name)", limit: fileLimit)
            try FileSystem.writeAtomically("\(destination)/\(keys)/\(name)", content, mode: 0o600)
        }
        try DirectoryChange.sync("\(destination)/\(keys)")
    }

    private static func copy(_ source: String, to destination: String) throws {
        let from = try OwnedDescriptor.open(source, O_RDONLY)
        let to = try OwnedDescriptor.open(destination, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try kernelCall("read", source) { Glibc.read(from.raw, &chunk, chunk.count) }
            if count == 0 { break }
            try to.writeAll(chunk[..<count])
        }
        try DirectoryChange.sync(to, destination)
    }
}

/// Why a backup cannot be taken or restored.
public struct BackupError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
