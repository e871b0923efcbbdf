import CArchive

/// Streams the entries of a tar archive (ustar, pax, GNU), or the bytes of one compressed stream, with libarchive.
///
/// Used from one thread. The source is pulled only as far as needed; nothing is held in memory but one chunk.
final class ArchiveReader {
    enum Layout {
        /// tar behind any of gzip, zstd, xz and bzip2, or none.
        case compressedTar
        /// tar as it is.
        case tar
        /// No archive: one stream behind any of the filters, or none.
        case singleStream
    }

    /// What the C callbacks see: the source, and the error that made it stop.
    private final class Feed {
        let source: any ByteSource
        var failure: ImageError?

        init(_ source: any ByteSource) { self.source = source }
    }

    private let handle: OpaquePointer
    private let feed: Feed
    private let subject: String

    /// `subject` begins every message: `archive "x.tar"`.
    init(_ source: any ByteSource, layout: Layout, subject: String) throws(ImageError) {
        guard let handle = archive_read_new() else { throw ImageError(.storage, "\(subject): out of memory") }
        self.handle = handle
        self.subject = subject
        feed = Feed(source)
        switch layout {
        case .compressedTar:
            Self.enableFilters(handle)
            archive_read_support_format_tar(handle)
        case .tar:
            archive_read_support_format_tar(handle)
        case .singleStream:
            Self.enableFilters(handle)
            archive_read_support_format_raw(handle)
        }
        // The feed outlives the handle: both belong to this object and the handle is freed first.
        let context = Unmanaged.passUnretained(feed).toOpaque()
        let result = archive_read_open2(
            handle, context, nil,
            { archive, context, buffer in
                guard let archive, let context, let buffer else { return -1 }
                return ArchiveReader.pull(archive, Unmanaged<Feed>.fromOpaque(context).takeUnretainedValue(), buffer)
            },
            { _, context, count in
                guard let context else { return 0 }
                return Unmanaged<Feed>.fromOpaque(context).takeUnretainedValue().source.skip(count)
            }, nil)
        guard result == ARCHIVE_OK else { throw failure() }
    }

    deinit { archive_read_free(handle) }

    /// Names the filters one by one: `support_filter_all` would also run external programs such as `lrzip`.
    private static func enableFilters(_ handle: OpaquePointer) {
        archive_read_support_filter_gzip(handle)
        archive_read_support_filter_zstd(handle)
        archive_read_support_filter_xz(handle)
        archive_read_support_filter_bzip2(handle)
    }

    private static func pull(
        _ archive: OpaquePointer, _ feed: Feed, _ buffer: UnsafeMutablePointer<UnsafeRawPointer?>
    ) -> Int {
        do throws(ImageError) {
            let chunk = try feed.source.next()
            buffer.pointee = chunk.baseAddress
            return chunk.count
        } catch {
            feed.failure = error
            return -1
        }
    }

    /// The next header; `nil` at the end.
    func nextEntry() throws(ImageError) -> ArchiveEntry? {
        var entry: OpaquePointer?
        let result = archive_read_next_header(handle, &entry)
        switch result {
        case ARCHIVE_EOF:
            if let failure = feed.failure { throw failure }
            return nil
        case ARCHIVE_OK, ARCHIVE_WARN:
            // A warning is a name that is not UTF-8, which is kept as it is, or an attribute we do not use.
            guard let entry, let header = ArchiveEntry(entry) else {
                throw ImageError(.invalidArchive, "\(subject): an entry has no path")
            }
            return header
        default:
            throw failure()
        }
    }

    /// The next piece of the current entry's data and its place in the file, holes left out; `nil` at the end of the
    /// entry.
    /// Valid until the next call.
    func nextBlock() throws(ImageError) -> (bytes: UnsafeRawBufferPointer, offset: Int64)? {
        while true {
            var start: UnsafeRawPointer?
            var size = 0
            var offset: Int64 = 0
            switch archive_read_data_block(handle, &start, &size, &offset) {
            case ARCHIVE_EOF:
                if let failure = feed.failure { throw failure }
                return nil
            case ARCHIVE_OK, ARCHIVE_WARN:
                if size > 0 { return (UnsafeRawBufferPointer(start: start, count: size), offset) }
            default:
                throw failure()
            }
        }
    }

    /// Fills `buffer` with data of the current entry; 0 at its end.
    func readData(into buffer: UnsafeMutableRawBufferPointer) throws(ImageError) -> Int {
        let count = archive_read_data(handle, buffer.baseAddress, buffer.count)
        guard count >= 0 else { throw failure() }
        return count
    }

    /// Where in the source the current entry's data begins, when it is there byte for byte: neither compressed nor with holes left out.
    func dataOffset(of entry: ArchiveEntry) -> Int64? {
        guard archive_filter_count(handle) == 1, archive_filter_code(handle, 0) == ARCHIVE_FILTER_NONE,
            !entry.isSparse
        else { return nil }
        let offset = archive_filter_bytes(handle, 0)
        return offset >= 0 ? offset : nil
    }

    private func failure() -> ImageError {
        if let failure = feed.failure { return failure }
        let reason = archive_error_string(handle).map { String(cString: $0) } ?? "cannot be read"
        if reason == "Unrecognized archive format" {
            return ImageError(.invalidArchive, "\(subject): is not a tar archive (plain, gzip, zstd, xz or bzip2)")
        }
        return ImageError(.invalidArchive, "\(subject): damaged or truncated: \(reason)")
    }
}
