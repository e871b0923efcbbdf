import CLinux
import Crypto
import Glibc
import LinuxKernel
import SystemPackage

/// A digest of everything an unpacked layer holds: names, kinds, owners, modes, times, link targets, file capabilities and
/// contents.
///
/// The layer's own digest is over an archive that is not kept, so what was unpacked is hashed once, and compared with ever after.
/// Blocking; reads every file. Follows nothing.
struct LayerSeal {
    private var hash = SHA256()
    /// Files with several names, by inode: their content counts once.
    private var seen: [UInt64: UInt64] = [:]
    private var buffer = [UInt8](repeating: 0, count: Self.blockBytes)

    /// SEEK_DATA of lseek(2).
    private static let seekData: Int32 = 3
    private static let blockBytes = 1 << 16
    /// Deeper than any layer can be unpacked.
    private static let depthLimit = 1024

    private init() {}

    /// - Parameter directory: the layer's `diff`.
    static func digest(of directory: String) throws(KernelError) -> ContentDigest {
        let root = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        var seal = LayerSeal()
        seal.add(try LayerDirectory.status(root.raw), name: [])
        try seal.addContents(of: root, depth: 0)
        return ContentDigest(seal.hash.finalize())
    }

    // MARK: Entries

    private mutating func addContents(of directory: borrowing OwnedDescriptor, depth: Int) throws(KernelError) {
        guard depth < Self.depthLimit else { throw KernelError("open", "layer", errno: .tooManySymbolicLinkLevels) }
        add(LayerDirectory.isOpaque(directory.raw) ? 1 : 0)
        for name in try LayerDirectory.names(directory).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let status = try LayerDirectory.status(directory.raw, name) else { continue }
            add(status, name: name)
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                let child = try LayerDirectory.open(directory.raw, name, O_RDONLY | O_DIRECTORY)
                try addContents(of: child, depth: depth + 1)
            case S_IFREG: try addFile(name, in: directory.raw, status)
            case S_IFLNK: add(try LayerDirectory.symbolicLinkTarget(directory.raw, name))
            case S_IFCHR, S_IFBLK: add(UInt64(status.st_rdev))
            default: break
            }
        }
        add(.max)
    }

    private mutating func add(_ status: stat, name: [UInt8]) {
        add(name)
        add(UInt64(status.st_mode))
        add(UInt64(status.st_uid) << 32 | UInt64(status.st_gid))
        // Size and time of a directory are the file system's affair.
        guard status.st_mode & S_IFMT != S_IFDIR else { return }
        add(UInt64(bitPattern: Int64(status.st_size)))
        add(UInt64(bitPattern: Int64(status.st_mtim.tv_sec)))
        add(UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)))
    }

    private mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { hash.update(bufferPointer: $0) }
    }

    private mutating func add(_ bytes: [UInt8]) {
        add(UInt64(bytes.count))
        hash.update(data: bytes)
    }

    // MARK: Contents

    private mutating func addFile(_ name: [UInt8], in directory: Int32, _ status: stat) throws(KernelError) {
        if status.st_nlink > 1 {
            if let first = seen[UInt64(status.st_ino)] { return add(first) }
            seen[UInt64(status.st_ino)] = UInt64(seen.count)
        }
        let file = try LayerDirectory.open(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        guard try LayerDirectory.status(file.raw).st_ino == status.st_ino else {
            throw KernelError("open", ImageError.quoted(name), errno: .resourceTemporarilyUnavailable)
        }
        try addCapabilities(of: file)
        var offset = off_t(0)
        let blockBytes = off_t(Self.blockBytes)
        // Whether zeroes are stored or left out is the file system's affair: blocks of them are passed over either way.
        while offset < status.st_size {
            let data = lseek(file.raw, offset, Self.seekData)
            if data < 0 {
                if Errno.current == .noSuchAddressOrDevice { break }
            } else {
                offset = data - data % blockBytes
            }
            let count = try read(file, at: offset)
            if count == 0 { break }
            if hasContent(count) {
                add(UInt64(offset))
                buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
            offset += blockBytes
        }
    }

    private mutating func addCapabilities(of file: borrowing OwnedDescriptor) throws(KernelError) {
        var value = [UInt8](repeating: 0, count: 64)
        let count = CLinux_fgetxattr(file.raw, "security.capability", &value, value.count)
        add(count > 0 ? Array(value[..<count]) : [])
    }

    /// A whole block, or less at the end of the file.
    private mutating func read(_ file: borrowing OwnedDescriptor, at offset: off_t) throws(KernelError) -> Int {
        let raw = file.raw
        var done = 0
        while done < Self.blockBytes {
            let start = done
            let count = buffer.withUnsafeMutableBytes { bytes in
                pread(raw, bytes.baseAddress.map { $0 + start }, bytes.count - start, offset + off_t(start))
            }
            if count < 0 {
                if Errno.current == .interrupted { continue }
                throw KernelError.last("pread")
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    private func hasContent(_ count: Int) -> Bool { buffer[..<count].contains { $0 != 0 } }
}
