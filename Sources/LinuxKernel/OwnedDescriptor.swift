import CLinux
import Glibc
import SystemPackage

/// A file descriptor with one owner, closed when the owner's scope ends.
///
/// `raw` may be lent to a call for as long as the owner lives; it must not be stored.
public struct OwnedDescriptor: ~Copyable, Sendable {
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32) {
        precondition(raw >= 0, "a descriptor is not negative")
        self.raw = raw
    }

    deinit { Glibc.close(raw) }

    /// Gives up ownership: the caller closes it.
    public consuming func release() -> Int32 {
        let value = raw
        discard self
        return value
    }

    /// A second owner of the same open file (`F_DUPFD_CLOEXEC`).
    public func duplicate() throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try kernelCall("dup") { CLinux_fcntl_int(raw, F_DUPFD_CLOEXEC, 0) })
    }

    /// open(2), always close-on-exec.
    public static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0) throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try kernelCall("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) })
    }

    /// openat(2) relative to this directory, always close-on-exec.
    public func open(_ name: String, _ flags: Int32, mode: UInt32 = 0) throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try kernelCall("openat", name) { openat(raw, name, flags | O_CLOEXEC, mode) })
    }

    /// openat2(2) with `RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS`: this directory is the root of the whole walk, so that
    /// no symbolic link or `..` under the control of a container leaves it.
    public func openInRoot(_ path: String, _ flags: Int32, mode: UInt32 = 0) throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(
            owning: try kernelCall("openat2", path) {
                CLinux_openat2(
                    raw, path, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), UInt64(mode),
                    CLinux_RESOLVE_IN_ROOT | CLinux_RESOLVE_NO_MAGICLINKS)
            })
    }

    /// openat2(2) with `RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS`: whatever would leave this directory, a symbolic link as well as a
    /// `..`, is refused (EXDEV) and not turned round.
    public func openBeneath(_ path: String, _ flags: Int32) throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(
            owning: try kernelCall("openat2", path) {
                CLinux_openat2(
                    raw, path, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), 0,
                    CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_MAGICLINKS)
            })
    }

    private static let chunkSize = 16384

    /// Reads to the end, refusing more than `limit` bytes (EFBIG).
    public func readAll(limit: Int = 1 << 20) throws(KernelError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            // One byte more than may be there tells that there is more.
            let chunk = try read(min(Self.chunkSize - 1, limit - bytes.count) + 1)
            if chunk.isEmpty { return bytes }
            guard bytes.count + chunk.count <= limit else { throw KernelError("read", errno: .fileTooLarge) }
            if bytes.isEmpty { bytes = chunk } else { bytes.append(contentsOf: chunk) }
        }
    }

    /// A regular file has these bytes from where it is read next, and no others. For a small one that is a single call: nothing but
    /// the end makes a read of a file short.
    public func fileHolds(_ bytes: [UInt8]) throws(KernelError) -> Bool {
        var offset = 0
        while true {
            let chunk = try read(Self.chunkSize)
            guard bytes[offset...].starts(with: chunk) else { return false }
            offset += chunk.count
            if chunk.count < Self.chunkSize { return offset == bytes.count }
        }
    }

    /// At most `count` bytes, as one read(2) gives them; none at the end. Most files are small: nothing is cleared or copied for them.
    private func read(_ count: Int) throws(KernelError) -> [UInt8] {
        var chunk: [UInt8] = []
        try kernelCall("read") { () -> Int in
            var result = 0
            chunk = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                result = Glibc.read(raw, buffer.baseAddress, count)
                filled = max(0, result)
            }
            return result
        }
        return chunk
    }

    /// Writes all of `bytes`, continuing after short writes.
    public func writeAll(_ bytes: some Collection<UInt8>) throws(KernelError) {
        let contiguous = Array(bytes)
        var offset = 0
        while offset < contiguous.count {
            offset += try kernelCall("write") {
                contiguous.withUnsafeBytes {
                    Glibc.write(raw, UnsafeRawBufferPointer(rebasing: $0[offset...]).baseAddress, $0.count - offset)
                }
            }
        }
    }

    /// A memfd holding `bytes`, sealed against every change: what a child reads, from the start, is what was written.
    public static func sealedMemory(name: String, _ bytes: [UInt8]) throws(KernelError) -> OwnedDescriptor {
        let memory = OwnedDescriptor(
            owning: try kernelCall("memfd_create", name) {
                CLinux_memfd_create(name, UInt32(MFD_CLOEXEC) | UInt32(MFD_ALLOW_SEALING))
            })
        try memory.writeAll(bytes)
        // The offset is shared with whoever gets the descriptor.
        try kernelCall("lseek", name) { lseek(memory.raw, 0, SEEK_SET) }
        try kernelCall("fcntl", "F_ADD_SEALS") { CLinux_seal(memory.raw) }
        return memory
    }
}
