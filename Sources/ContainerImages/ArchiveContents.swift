/// What an image archive holds, found in one pass: its JSON documents in memory, everything else by name and size.
///
/// Layers are not kept: they are read again, in place, once it is known which of them are needed.
struct ArchiveContents {
    /// A regular file of the archive.
    struct Entry: Hashable {
        /// Its place among all entries, from 0.
        let number: Int
        let sizeBytes: Int64
        /// Where its bytes are in the archive file; `nil` when they are not there as they are.
        let offsetBytes: Int64?
    }

    let subject: String
    /// Contents of entries that look like JSON, by normalised name.
    private(set) var documents: [String: [UInt8]] = [:]
    private(set) var entries: [String: Entry] = [:]
    private(set) var links: [String: String] = [:]

    /// All documents together: hundreds of images fit, a bomb does not.
    static let documentsLimitBytes = 64 << 20
    /// Documents that must not silently be passed over when they are too large.
    private static let required: Set<String> = ["manifest.json", "index.json", "oci-layout"]

    init(reading reader: ArchiveReader, limits: UnpackLimits, subject: String) throws(ImageError) {
        self.subject = subject
        var documentBytes = 0
        var totalBytes: Int64 = 0
        var nameBytes = 0
        var count = 0
        while let entry = try reader.nextEntry() {
            count += 1
            guard count <= limits.archiveEntries else {
                throw ImageError(.limitExceeded, "\(subject): has more than \(limits.archiveEntries) entries")
            }
            let name = try Self.name(of: entry, limits: limits, subject: subject)
            nameBytes += name.utf8.count + entry.linkTarget.count
            guard nameBytes <= limits.rememberedPathBytes else {
                throw ImageError(
                    .limitExceeded, "\(subject): has more than \(limits.rememberedPathBytes) bytes of names")
            }
            switch entry.kind {
            case .regular:
                let size = max(0, entry.sizeBytes)
                guard let sum = Self.sum(totalBytes, size, limits) else {
                    throw ImageError(.limitExceeded, "\(subject): unpacks to more than \(limits.importBytes) bytes")
                }
                totalBytes = sum
                entries[name] = Entry(number: count - 1, sizeBytes: size, offsetBytes: reader.dataOffset(of: entry))
                links[name] = nil
                documents[name] = try Self.document(name, entry, reader, limits: limits, subject: subject)
                documentBytes += documents[name]?.count ?? 0
                guard documentBytes <= Self.documentsLimitBytes else {
                    throw ImageError(
                        .limitExceeded, "\(subject): has more than \(Self.documentsLimitBytes) bytes of JSON documents")
                }
            case .symbolicLink:
                links[name] = Self.join(name, String(decoding: entry.linkTarget, as: UTF8.self))
            case .hardLink:
                links[name] = Self.normalise(String(decoding: entry.linkTarget, as: UTF8.self))
            case .directory:
                break
            case .characterDevice, .blockDevice, .fifo, .socket, .unknown:
                throw ImageError(
                    .unsafePath, "\(subject), entry \(ImageError.quoted(name)): is not a file, directory or link")
            }
        }
        guard count > 0 else { throw ImageError(.invalidArchive, "\(subject): is an empty archive") }
    }

    /// What is known of an archive that another process has read.
    init(documents: [String: [UInt8]], entries: [String: Entry], links: [String: String], subject: String) {
        self.documents = documents
        self.entries = entries
        self.links = links
        self.subject = subject
    }

    /// Twice the limit: an archive may carry other platforms' layers beside ours.
    static func sum(_ total: Int64, _ size: Int64, _ limits: UnpackLimits) -> Int64? {
        let (sum, overflow) = total.addingReportingOverflow(size)
        return !overflow && sum / 2 <= limits.importBytes ? sum : nil
    }

    private static func name(
        of entry: ArchiveEntry, limits: UnpackLimits, subject: String
    ) throws(ImageError) -> String {
        let text = String(decoding: entry.path, as: UTF8.self)
        guard entry.path.count <= limits.pathBytes, entry.linkTarget.count <= limits.pathBytes else {
            throw ImageError(
                .limitExceeded,
                "\(subject), entry \(ImageError.quoted(text)): its path is longer than \(limits.pathBytes) bytes")
        }
        guard !text.hasPrefix("/") else {
            throw ImageError(.unsafePath, "\(subject), entry \(ImageError.quoted(text)): has an absolute path")
        }
        guard !text.split(separator: "/").contains("..") else {
            throw ImageError(
                .unsafePath, "\(subject), entry \(ImageError.quoted(text)): its path has a \"..\" component")
        }
        return normalise(text) ?? ""
    }

    /// The first byte tells a JSON document from a layer: tar begins with a name, compressed streams with a magic
    /// number.
    private static func document(
        _ name: String, _ entry: ArchiveEntry, _ reader: ArchiveReader, limits: UnpackLimits, subject: String
    ) throws(ImageError) -> [UInt8]? {
        guard entry.sizeBytes <= limits.documentBytes else {
            guard !required.contains(name) else {
                throw ImageError(
                    .limitExceeded, "\(subject), entry \(name): is larger than \(limits.documentBytes) bytes")
            }
            return nil
        }
        let source = EntryByteSource(reader)
        var bytes: [UInt8] = []
        while true {
            let chunk = try source.next()
            if chunk.isEmpty { return bytes.isEmpty ? nil : bytes }
            bytes.append(contentsOf: chunk)
            let first = bytes.first { $0 > 0x20 }
            guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || required.contains(name) else {
                return nil
            }
        }
    }

    /// A name without `.` and with `..` taken back; `nil` when it leaves the archive.
    static func normalise(_ path: String) -> String? {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                return nil
            }
        }
        return parts.joined(separator: "/")
    }

    private static func join(_ name: String, _ target: String) -> String? {
        if target.hasPrefix("/") { return nil }
        return normalise(name.split(separator: "/").dropLast().joined(separator: "/") + "/" + target)
    }

    /// The name of the regular entry `name` stands for: archives of older tools share layers by links.
    func entryName(_ name: String) -> String? {
        guard var current = Self.normalise(name) else { return nil }
        for _ in 0..<8 {
            guard let next = links[current] else { return entries[current] == nil ? nil : current }
            current = next
        }
        return nil
    }

    /// The regular entry `name` stands for.
    func entry(_ name: String) -> Entry? { entryName(name).flatMap { entries[$0] } }

    func hasDocument(_ name: String) -> Bool { documents[name] != nil }

    /// The document of that name.
    ///
    /// - Throws: ``ImageError/Code/invalidArchive`` naming it when it is not there.
    func document(_ name: String) throws(ImageError) -> [UInt8] {
        guard let entry = entryName(name), let bytes = documents[entry] else {
            throw ImageError(
                .invalidArchive, "\(subject): \(ImageError.quoted(name)) is missing, too large or not a JSON document")
        }
        return bytes
    }

    /// A document of an OCI layout, verified against its digest and, where promised, its size.
    func blob(_ digest: ContentDigest, sizeBytes: Int64?) throws(ImageError) -> [UInt8] {
        let bytes = try document(Self.blobName(digest))
        let actual = ContentDigest(of: bytes)
        guard actual == digest else {
            throw ImageError(.digestMismatch, "\(subject), blob \(digest): its content has the digest \(actual)")
        }
        guard sizeBytes == nil || sizeBytes == Int64(bytes.count) else {
            throw ImageError(
                .digestMismatch,
                "\(subject), blob \(digest): has \(bytes.count) bytes, its descriptor says \(sizeBytes ?? 0)")
        }
        return bytes
    }

    static func blobName(_ digest: ContentDigest) -> String { "blobs/sha256/\(digest.hexadecimal)" }
}
