import Crypto
import Glibc
import LinuxKernel
import SystemPackage

/// Blobs named by the SHA-256 of their content, below `<root>/blobs/sha256/`.
///
/// A blob appears under its name only when it is complete, verified and on disk. Only image configurations and
/// manifests
/// are kept: layers live unpacked in ``LayerStore``.
public struct ContentStore: Sendable {
    private let directory: String
    private static let stagingPrefix = ".staging-"

    /// `root` is the image store's directory; nothing is created yet.
    public init(root: String) {
        directory = root + "/blobs/sha256"
    }

    /// Creates the directory and removes what an interrupted write left behind; gives how many such files there were.
    @discardableResult
    public func prepare() throws(ImageError) -> Int {
        try storing("image store") { () throws(KernelError) in
            try FileSystem.makeDirectories(directory)
            let leftovers = try FileSystem.list(directory).filter { $0.hasPrefix(Self.stagingPrefix) }
            for name in leftovers { try FileSystem.removeTree(directory + "/" + name) }
            return leftovers.count
        }
    }

    /// Stores `bytes`: written to a temporary file, hashed while written, fsynced, renamed, directory fsynced.
    ///
    /// - Throws: ``ImageError/Code/digestMismatch`` when `expected` is given and is not their digest;
    ///   ``ImageError/Code/storage``.
    @discardableResult
    public func write(_ bytes: [UInt8], expecting expected: ContentDigest? = nil) throws(ImageError) -> ContentDigest {
        let temporary = directory + "/" + Self.stagingPrefix + RandomName.make()
        do throws(ImageError) {
            let digest = try stage(bytes, at: temporary)
            if let expected, expected != digest {
                throw ImageError(.digestMismatch, "blob \(expected): its content has the digest \(digest)")
            }
            try storing("blob \(digest)") { () throws(KernelError) in
                try kernelCall("rename", temporary) { rename(temporary, path(of: digest)) }
                let parent = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
                try kernelCall("fsync", directory) { fsync(parent.raw) }
            }
            return digest
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private func stage(_ bytes: [UInt8], at temporary: String) throws(ImageError) -> ContentDigest {
        try storing("blob store") { () throws(KernelError) in
            let file = try OwnedDescriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            var hash = SHA256()
            for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
                let chunk = bytes[start..<min(start + 1 << 16, bytes.count)]
                hash.update(data: chunk)
                try file.writeAll(chunk)
            }
            try kernelCall("fsync", temporary) { fsync(file.raw) }
            return ContentDigest(hash.finalize())
        }
    }

    /// Reads a blob back, verifying it again: disks and operators change files.
    ///
    /// - Throws: ``ImageError/Code/notFound``, ``ImageError/Code/digestMismatch`` or ``ImageError/Code/storage``.
    public func read(_ digest: ContentDigest, limitBytes: Int = 8 << 20) throws(ImageError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try FileSystem.read(path(of: digest), limit: limitBytes)
        } catch {
            throw ImageError(
                error.errno == .noSuchFileOrDirectory ? .notFound : .storage, "blob \(digest): \(error.errno)")
        }
        guard ContentDigest(of: bytes) == digest else {
            throw ImageError(.digestMismatch, "blob \(digest): the stored file is damaged")
        }
        return bytes
    }

    /// Removes a blob; an absent one is fine.
    public func remove(_ digest: ContentDigest) throws(ImageError) {
        if unlink(path(of: digest)) != 0, Errno.current != .noSuchFileOrDirectory {
            throw ImageError(.storage, "blob \(digest): \(Errno.current)")
        }
    }

    /// The digests of all stored blobs, in order. Content is not verified.
    public func list() throws(ImageError) -> [ContentDigest] {
        try storing("blob store") { () throws(KernelError) in
            try FileSystem.list(directory).compactMap { ContentDigest(hexadecimal: $0) }
        }
    }

    private func path(of digest: ContentDigest) -> String { directory + "/" + digest.hexadecimal }
}
