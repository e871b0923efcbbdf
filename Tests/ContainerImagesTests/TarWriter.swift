import CArchive

/// Writes tar archives field by field, so that a test can say what no well-behaved tool would.
struct TarWriter {
    struct Entry {
        var name: [UInt8]
        var type: Character = "0"
        var link: [UInt8] = []
        var content: [UInt8] = []
        var mode = 0o644
        var uid = 0
        var gid = 0
        var modified = 1_700_000_000
        var device: (major: Int, minor: Int) = (0, 0)
        /// Extended attributes, written as pax records.
        var attributes: [(name: String, value: [UInt8])] = []
        /// Further pax records.
        var pax: [(name: String, value: [UInt8])] = []
        /// Size in the header, when it is to be a lie.
        var claimedSize: Int?

        static func file(_ name: String, _ text: String = "x", mode: Int = 0o644) -> Entry {
            Entry(name: Array(name.utf8), content: Array(text.utf8), mode: mode)
        }

        static func directory(_ name: String, mode: Int = 0o755) -> Entry {
            Entry(name: Array(name.utf8), type: "5", mode: mode)
        }

        static func symbolicLink(_ name: String, to target: String) -> Entry {
            Entry(name: Array(name.utf8), type: "2", link: Array(target.utf8), mode: 0o777)
        }

        static func hardLink(_ name: String, to target: String) -> Entry {
            Entry(name: Array(name.utf8), type: "1", link: Array(target.utf8))
        }

        static func node(_ name: String, type: Character, major: Int = 0, minor: Int = 0) -> Entry {
            Entry(name: Array(name.utf8), type: type, mode: 0o666, device: (major, minor))
        }
    }

    private(set) var bytes: [UInt8] = []

    /// A whole archive.
    static func archive(_ entries: [Entry], terminated: Bool = true) -> [UInt8] {
        var writer = TarWriter()
        for entry in entries { writer.append(entry) }
        if terminated { writer.bytes += [UInt8](repeating: 0, count: 1024) }
        return writer.bytes
    }

    mutating func append(_ entry: Entry) {
        var records =
            entry.attributes.map { ("SCHILY.xattr." + $0.name, $0.value) } + entry.pax.map { ($0.name, $0.value) }
        if entry.name.count > 100 { records.append(("path", entry.name)) }
        if entry.link.count > 100 { records.append(("linkpath", entry.link)) }
        if !records.isEmpty {
            let content = records.flatMap { Self.paxRecord($0.0, $0.1) }
            appendHeader(Entry(name: Array("PaxHeaders/x".utf8), type: "x", content: content))
            appendPadded(content)
        }
        appendHeader(entry)
        appendPadded(entry.content)
    }

    private static func paxRecord(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = key.utf8.count + value.count + 3
        var length = rest + String(rest).utf8.count
        if String(length).utf8.count != String(rest).utf8.count { length = rest + String(length).utf8.count }
        return Array("\(length) \(key)=".utf8) + value + [0x0A]
    }

    private mutating func appendHeader(_ entry: Entry) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ value: [UInt8], at offset: Int, width: Int) {
            for (index, byte) in value.prefix(width).enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, at offset: Int, width: Int) {
            let digits = String(value, radix: 8)
            put(
                Array((String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits).utf8), at: offset,
                width: width - 1)
        }
        put(entry.name, at: 0, width: 100)
        octal(entry.mode, at: 100, width: 8)
        octal(entry.uid, at: 108, width: 8)
        octal(entry.gid, at: 116, width: 8)
        octal(entry.claimedSize ?? entry.content.count, at: 124, width: 12)
        octal(entry.modified, at: 136, width: 12)
        put([UInt8](repeating: 0x20, count: 8), at: 148, width: 8)
        header[156] = entry.type.asciiValue ?? 0x30
        put(entry.link, at: 157, width: 100)
        put(Array("ustar\u{0}00".utf8), at: 257, width: 8)
        octal(entry.device.major, at: 329, width: 8)
        octal(entry.device.minor, at: 337, width: 8)
        let sum = header.reduce(0) { $0 + Int($1) }
        octal(sum, at: 148, width: 7)
        header[154] = 0
        bytes += header
    }

    private mutating func appendPadded(_ content: [UInt8]) {
        bytes += content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    enum Compression: String, CaseIterable { case none, gzip, zstd, xz, bzip2 }

    /// Compresses with libarchive's own writer.
    static func compress(_ bytes: [UInt8], _ compression: Compression) -> [UInt8] {
        let handle = archive_write_new()
        defer { archive_write_free(handle) }
        switch compression {
        case .none: return bytes
        case .gzip: archive_write_add_filter_gzip(handle)
        case .zstd: archive_write_add_filter_zstd(handle)
        case .xz: archive_write_add_filter_xz(handle)
        case .bzip2: archive_write_add_filter_bzip2(handle)
        }
        archive_write_set_format_raw(handle)
        archive_write_set_bytes_in_last_block(handle, 1)
        var output = [UInt8](repeating: 0, count: bytes.count + 1 << 20)
        var used = 0
        let capacity = output.count
        output.withUnsafeMutableBytes { buffer in
            archive_write_open_memory(handle, buffer.baseAddress, capacity, &used)
            let entry = archive_entry_new()
            archive_entry_set_filetype(entry, 0o100000)
            archive_write_header(handle, entry)
            _ = bytes.withUnsafeBytes { archive_write_data(handle, $0.baseAddress, $0.count) }
            archive_entry_free(entry)
            archive_write_close(handle)
        }
        return Array(output[..<used])
    }
}
