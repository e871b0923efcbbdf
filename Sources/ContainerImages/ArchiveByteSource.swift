/// The data of the entry an ``ArchiveReader`` stands on, holes filled with zeroes.
final class EntryByteSource: ByteSource {
    private let reader: ArchiveReader
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)

    init(_ reader: ArchiveReader) { self.reader = reader }

    deinit { buffer.deallocate() }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        let count = try reader.readData(into: buffer)
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }
}

/// The uncompressed bytes of a gzip, zstd, xz, bzip2 or plain stream.
final class DecompressingByteSource: ByteSource {
    private let reader: ArchiveReader

    init(_ source: any ByteSource, subject: String) throws(ImageError) {
        reader = try ArchiveReader(source, layout: .singleStream, subject: subject)
        guard try reader.nextEntry() != nil else { throw ImageError(.invalidArchive, "\(subject): is empty") }
    }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        try reader.nextBlock()?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }
}
