/// Some of an archive's entries in its order, wherever the archive is parsed: the bytes are those of the entry it stands on.
protocol EntryStream: ByteSource {
    /// Goes on to the next wanted entry, and gives its number; `nil` after the last one that there is.
    func nextEntry() throws(ImageError) -> Int?
}

/// Wanted entries as this process parses them.
final class ParsedEntries: EntryStream {
    private let reader: ArchiveReader
    private let data: EntryByteSource
    private var wanted: Set<Int>
    private var number = 0

    /// `wanted` are numbers as ``ArchiveContents/Entry/number`` has them.
    init(_ reader: ArchiveReader, wanted: Set<Int>) {
        self.reader = reader
        self.wanted = wanted
        data = EntryByteSource(reader)
    }

    func nextEntry() throws(ImageError) -> Int? {
        while !wanted.isEmpty, let entry = try reader.nextEntry() {
            defer { number += 1 }
            if wanted.remove(number) != nil, entry.kind == .regular { return number }
        }
        return nil
    }

    func next() throws(ImageError) -> UnsafeRawBufferPointer { try data.next() }
}
