import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// The bytes of a regular file, from its start.
final class FileByteSource: ByteSource {
    private let file: OwnedDescriptor
    private let subject: String
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    private let onProgress: (Int64) throws(ImageError) -> Void
    /// Size at the time of opening.
    let sizeBytes: Int64
    private(set) var positionBytes: Int64 = 0

    /// Opens the file, refusing anything but a non-empty regular file. `onProgress` gets the position after each chunk
    /// and may
    /// throw to end the reading.
    init(
        path: String, subject: String, onProgress: @escaping (Int64) throws(ImageError) -> Void = { _ in }
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
        self.onProgress = onProgress
    }

    deinit { buffer.deallocate() }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        try onProgress(positionBytes)
        let count = try storing(subject) { () throws(KernelError) in
            try kernelCall("read") { Glibc.read(file.raw, buffer.baseAddress, buffer.count) }
        }
        positionBytes += Int64(count)
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    func skip(_ count: Int64) -> Int64 {
        // Never past the end: a truncated file must be seen as one.
        let distance = min(count, sizeBytes - positionBytes)
        guard distance > 0, lseek(file.raw, off_t(positionBytes + distance), SEEK_SET) >= 0 else { return 0 }
        positionBytes += distance
        return distance
    }
}
