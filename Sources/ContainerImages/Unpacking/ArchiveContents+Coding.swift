extension ArchiveContents {
    /// The most bytes of it, encoded: all names and documents, and what is said of each.
    static func limitBytes(_ limits: UnpackLimits) -> Int {
        2 * limits.rememberedPathBytes + documentsLimitBytes + 64 * limits.archiveEntries
    }

    func encode(into encoder: inout JailEncoder) {
        encoder.add(UInt32(clamping: entries.count))
        for (name, entry) in entries {
            encoder.add(name)
            encoder.add(UInt32(clamping: entry.number))
            encoder.add(entry.sizeBytes)
            encoder.add(entry.offsetBytes ?? -1)
        }
        encoder.add(UInt32(clamping: links.count))
        for (name, target) in links {
            encoder.add(name)
            encoder.add(target)
        }
        encoder.add(UInt32(clamping: documents.count))
        for (name, bytes) in documents {
            encoder.add(name)
            encoder.add(bytes: bytes)
        }
    }

    /// - Throws: when a number is beyond its limit, a name is none that reading gives, or a document is of no entry.
    init(decoding decoder: inout JailDecoder, limits: UnpackLimits, subject: String) throws(JailDecoder.Failure) {
        var entries: [String: Entry] = [:]
        var totalBytes: Int64 = 0
        for _ in 0..<(try Self.count(&decoder, limits)) {
            let name = try Self.name(&decoder, limits)
            let number = try decoder.integer(UInt32.self)
            let size = try decoder.integer(Int64.self)
            let offset = try decoder.integer(Int64.self)
            guard Int(number) < limits.archiveEntries, size >= 0, offset >= -1,
                let sum = Self.sum(totalBytes, size, limits)
            else { throw decoder.failure("is no place in an archive") }
            totalBytes = sum
            entries[name] = Entry(number: Int(number), sizeBytes: size, offsetBytes: offset >= 0 ? offset : nil)
        }
        var links: [String: String] = [:]
        for _ in 0..<(try Self.count(&decoder, limits)) {
            let name = try Self.name(&decoder, limits)
            links[name] = try Self.name(&decoder, limits)
        }
        var documents: [String: [UInt8]] = [:]
        var documentBytes = 0
        for _ in 0..<(try Self.count(&decoder, limits)) {
            let name = try Self.name(&decoder, limits)
            let bytes = try decoder.bytes(limit: limits.documentBytes)
            documentBytes += bytes.count
            guard documentBytes <= Self.documentsLimitBytes else { throw decoder.failure("are too many documents") }
            documents[name] = bytes
        }
        self.init(documents: documents, entries: entries, links: links, subject: subject)
    }

    private static func count(_ decoder: inout JailDecoder, _ limits: UnpackLimits) throws(JailDecoder.Failure) -> Int {
        let count = try decoder.count()
        guard count <= limits.archiveEntries else { throw decoder.failure("are too many entries") }
        return count
    }

    private static func name(
        _ decoder: inout JailDecoder, _ limits: UnpackLimits
    ) throws(JailDecoder.Failure) -> String {
        // Of bytes that are not UTF-8 reading makes three each, and it puts two names together for a link.
        let name = try decoder.text(limit: 6 * limits.pathBytes + 1)
        guard normalise(name) == name else { throw decoder.failure("is no name of an entry") }
        return name
    }
}
