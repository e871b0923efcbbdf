import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// An image archive, a regular file that is read at the places that are asked for.
///
/// Used from one thread.
final class ArchiveFile {
    private let file: OwnedDescriptor
    private let subject: String
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ArchiveFile.chunkBytes, alignment: 16)
    private let onRead: (Int64) throws(ImageError) -> Void
    /// Size at the time of opening.
    let sizeBytes: Int64

    /// The most bytes of one read.
    static let chunkBytes = 1 << 18

    /// Opens the file, refusing anything but a non-empty regular file. `onRead` gets the place before each read, and may throw to end
    /// the reading.
    init(
        path: String, subject: String, onRead: @escaping (Int64) throws(ImageError) -> Void = { _ in }
    ) throws(ImageError) {
        // O_NONBLOCK: a FIFO given as archive must fail, not hang.
        let opened: OwnedDescriptor
        do {
            opened = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        } catch {
            throw ImageError(error.errno == .noSuchFileOrDirectory ? .notFound : .storage, "\(subject): \(error.errno)")
        }
        var status = stat()
        guard fstat(opened.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ImageError(.invalidArchive, "\(subject): is not a regular file")
        }
        guard status.st_size > 0 else { throw ImageError(.invalidArchive, "\(subject): is empty") }
        file = opened
        sizeBytes = Int64(status.st_size)
        self.subject = subject
        self.onRead = onRead
    }

    deinit { buffer.deallocate() }

    /// At most ``chunkBytes`` and `limit` bytes from `offset` on, valid until the next call; none at the end of the file.
    func read(at offset: Int64, limit: Int64 = .max) throws(ImageError) -> UnsafeRawBufferPointer {
        try onRead(offset)
        let wanted = Int(min(Int64(buffer.count), max(0, limit)))
        let count = try storing(subject) { () throws(KernelError) in
            try kernelCall("pread") { pread(file.raw, buffer.baseAddress, wanted, off_t(offset)) }
        }
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }
}
