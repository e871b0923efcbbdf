import Glibc
import LinuxKernel
import SystemPackage

/// The policy file on the disk. It is in force only if nobody but its owner could have written it.
enum NodePolicyFile {
    /// The largest file read, in bytes.
    private static let byteLimit = 1 << 20

    /// Blocks on the disk.
    ///
    /// - Parameter owner: the user the file has to belong to.
    /// - Returns: nil when there is no file.
    static func read(_ path: String, owner: UInt32) throws(NodePolicyError) -> NodePolicy? {
        let (status, bytes): (stat, [UInt8])
        do throws(KernelError) { (status, bytes) = try content(path) } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw NodePolicyError(["\(path): cannot be read: \(error.errno)"])
        }
        if let flaw = flaw(of: status, owner: owner) { throw NodePolicyError(["\(path): \(flaw)"]) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw NodePolicyError(["\(path): not valid UTF-8"])
        }
        return try NodePolicy(parsing: text, file: path)
    }

    private static func content(_ path: String) throws(KernelError) -> (stat, [UInt8]) {
        // A FIFO or a device in its place must not hold the node up.
        let file = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        var status = stat()
        try kernelCall("fstat", path) { fstat(file.raw, &status) }
        return (status, status.st_mode & S_IFMT == S_IFREG ? try file.readAll(limit: byteLimit) : [])
    }

    private static func flaw(of status: stat, owner: UInt32) -> String? {
        if status.st_mode & S_IFMT != S_IFREG { return "not a regular file" }
        if status.st_uid != owner {
            return "belongs to user \(status.st_uid), who could change what pods may do: chown \(owner) the file"
        }
        if status.st_mode & 0o022 != 0 {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            return "can be written by others than its owner (mode \(mode)): chmod 644 the file"
        }
        return nil
    }
}
