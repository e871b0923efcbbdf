import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// The host's log directory, to be looked at and not to be left: neither by a path nor by a symbolic link that somebody put there.
struct HostLogs: Sendable {
    enum Found: Sendable {
        /// Names as a listing shows them: those of directories end in a slash.
        case directory([String])
        case file(OpenLog)
    }

    enum Refusal: Error, Hashable, Sendable {
        case notFound, forbidden
        case failed(String)
    }

    /// Names of one listing; a directory with more is cut off.
    static let listingLimit = 10_000

    let directory: String

    /// Blocks for as long as the disk does.
    /// - Parameter segments: of the path below the directory.
    func open(_ segments: [String]) throws(Refusal) -> Found {
        let found: Found?
        do throws(KernelError) { found = try find(segments.isEmpty ? "." : segments.joined(separator: "/")) } catch {
            throw Self.refusal(error)
        }
        guard let found else { throw .forbidden }
        return found
    }

    /// Nil for what is neither a directory nor a file.
    private func find(_ path: String) throws(KernelError) -> Found? {
        let root = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
        // A pipe without a writer is not waited for.
        let found = try root.openBeneath(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        var status = stat()
        try kernelCall("fstat", path) { fstat(found.raw, &status) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .directory(try Self.list(found))
        case S_IFREG: return .file(OpenLog(found, byteCount: Int64(status.st_size)))
        default: return nil
        }
    }

    private static func refusal(_ error: KernelError) -> Refusal {
        switch error.errno {
        case .noSuchFileOrDirectory, .notDirectory, .fileNameTooLong: .notFound
        case .improperLink, .tooManySymbolicLinkLevels, .permissionDenied, .noSuchAddressOrDevice: .forbidden
        default: .failed("\(error.errno)")
        }
    }

    private static func list(_ directory: borrowing OwnedDescriptor) throws(KernelError) -> [String] {
        let raw = directory.raw
        return try FileSystem.list("/proc/self/fd/\(raw)").prefix(listingLimit).map { name in
            var status = stat()
            let isDirectory =
                fstatat(raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFDIR
            return isDirectory ? name + "/" : name
        }
    }
}

/// A file of the log directory, read from its beginning to where it ended when it was opened.
final class OpenLog: Sendable {
    private static let chunk = 64 << 10

    private let descriptor: OwnedDescriptor
    let byteCount: Int64

    init(_ descriptor: consuming OwnedDescriptor, byteCount: Int64) {
        self.descriptor = descriptor
        self.byteCount = byteCount
    }

    /// Empty at the end. Blocks for as long as the disk does.
    func read(from offset: Int64) throws(KernelError) -> [UInt8] {
        let count = Int(min(Int64(Self.chunk), byteCount - offset))
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let raw = descriptor.raw
        let done = try kernelCall("pread") { pread(raw, &bytes, count, off_t(offset)) }
        return Array(bytes.prefix(done))
    }
}
