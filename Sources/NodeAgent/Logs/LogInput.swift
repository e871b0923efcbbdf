import CLinux
import CZlib
import Glibc
import LinuxKernel
import SystemPackage

/// One file of a log held open: a rotation moves its name, not what is being read, and a compression leaves it as it is.
final class LogInput: Sendable {
    /// What tells one file of a log from the others: a compressed file has the time of what it was made of.
    struct Identity: Hashable {
        let device: dev_t
        let inode: ino_t
        /// Nanoseconds since the epoch.
        let modifiedAt: Int64
        let size: Int

        init(_ status: stat) {
            device = status.st_dev
            inode = status.st_ino
            modifiedAt = withUnsafePointer(to: status) { CLinux_modification_time($0) }
            size = Int(status.st_size)
        }

        /// nil when there is no such file.
        init?(path: String) {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            self.init(status)
        }

        func isFile(_ other: Identity) -> Bool { device == other.device && inode == other.inode }

        func hasTime(of other: Identity) -> Bool { modifiedAt == other.modifiedAt }
    }

    private let file: OwnedDescriptor
    /// Decompresses `file`, or nil when it is plain.
    private let stream: GzipStream?

    /// The file is the node's, not the container's: a link in its place is not followed.
    init(_ path: String, isCompressed: Bool) throws(KernelError) {
        file = try OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        stream = isCompressed ? try GzipStream(file) : nil
    }

    var isCompressed: Bool { stream != nil }

    func identity() throws(KernelError) -> Identity {
        var status = stat()
        try kernelCall("fstat") { fstat(file.raw, &status) }
        return Identity(status)
    }

    /// At most so many bytes of the content from there on; less at the end. A compressed file is read in order.
    func read(at offset: Int, count: Int) throws(KernelError) -> [UInt8] {
        if let stream { return try stream.read(count: count) }
        var buffer = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = try kernelCall("pread") {
                buffer.withUnsafeMutableBytes { bytes in
                    pread(file.raw, bytes.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
                }
            }
            if got == 0 { break }
            filled += got
        }
        buffer.removeLast(count - filled)
        return buffer
    }

    /// Where the last `lines` entries begin; and how many there are, when there are fewer. Of a compressed file this reads all, which
    /// is then to be opened anew.
    func tail(_ lines: Int64) throws(KernelError) -> (offset: Int, found: Int64) {
        isCompressed ? try tailInOrder(lines) : try tailFromEnd(lines)
    }

    /// Entries are counted from the end in ever larger windows, so that the tail of a large log costs little.
    private func tailFromEnd(_ lines: Int64) throws(KernelError) -> (offset: Int, found: Int64) {
        var status = stat()
        try kernelCall("fstat") { fstat(file.raw, &status) }
        let size = Int(status.st_size)
        var window = 65536
        while true {
            let start = max(0, size - window)
            let bytes = try read(at: start, count: size - start)
            let offset = ContainerLogFilter.tailOffset(bytes, lines: lines)
            if offset > 0 { return (start + offset, lines) }
            if start == 0 { return (0, min(lines, Int64(bytes.count { $0 == 10 }))) }
            window *= 4
        }
    }

    /// There is no way from the end of a compressed file: it is read once to count, and skipped through later.
    private func tailInOrder(_ lines: Int64) throws(KernelError) -> (offset: Int, found: Int64) {
        // The last `lines` line ends, in a ring: the first of them is where the tail begins.
        let kept = Int(clamping: min(lines, 1 << 20)) + 1
        var ends: [Int] = []
        var (next, total, position) = (0, Int64(0), 0)
        while true {
            let bytes = try read(at: 0, count: 65536)
            if bytes.isEmpty { break }
            for (index, byte) in bytes.enumerated() where byte == 10 {
                if ends.count < kept { ends.append(position + index + 1) } else { ends[next] = position + index + 1 }
                next = (next + 1) % kept
                total += 1
            }
            position += bytes.count
        }
        guard total > lines, ends.count == kept else { return (0, min(total, lines)) }
        return (ends[next], lines)
    }
}

/// A decompressor of zlib's over a file.
///
/// @unchecked: used by one thread at a time, its reader's, which waits for each call's end.
private final class GzipStream: @unchecked Sendable {
    private let stream: gzFile

    init(_ file: borrowing OwnedDescriptor) throws(KernelError) {
        let copy = try file.duplicate()
        guard let stream = gzdopen(copy.raw, "rb") else { throw KernelError("gzdopen", errno: .noMemory) }
        // Closed with the stream from here on.
        _ = copy.release()
        self.stream = stream
    }

    deinit { gzclose(stream) }

    func read(count: Int) throws(KernelError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = gzread(stream, &buffer, UInt32(clamping: count))
        guard got >= 0 else { throw KernelError("gzread", errno: .ioError) }
        buffer.removeLast(count - Int(got))
        return buffer
    }
}
