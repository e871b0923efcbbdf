/// The bytes of a part of a file, or of all of it.
final class FileByteSource: ByteSource {
    private let file: ArchiveFile
    private var positionBytes: Int64
    private let endBytes: Int64

    /// A part that goes beyond the file ends with it.
    init(_ file: ArchiveFile, from startBytes: Int64 = 0, count: Int64 = .max) {
        self.file = file
        positionBytes = min(max(0, startBytes), file.sizeBytes)
        endBytes = positionBytes + min(max(0, count), file.sizeBytes - positionBytes)
    }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        let chunk = try file.read(at: positionBytes, limit: endBytes - positionBytes)
        positionBytes += Int64(chunk.count)
        return chunk
    }

    func skip(_ count: Int64) -> Int64 {
        // Never past the end: a truncated file must be seen as one.
        let distance = min(max(0, count), endBytes - positionBytes)
        positionBytes += distance
        return distance
    }
}
