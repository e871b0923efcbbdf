import CArchive

/// The header of one archive entry. Every field is untrusted; paths are bytes, since archives know no encoding.
struct ArchiveEntry {
    enum Kind {
        case regular, directory, symbolicLink, hardLink, characterDevice, blockDevice, fifo, socket, unknown
    }

    struct ExtendedAttribute {
        let name: [UInt8]
        let value: [UInt8]
    }

    let kind: Kind
    let path: [UInt8]
    /// Target of a symbolic or hard link; empty otherwise.
    let linkTarget: [UInt8]
    let sizeBytes: Int64
    /// Whether the archive leaves its holes out.
    let isSparse: Bool
    /// The low twelve mode bits, with setuid, setgid and sticky.
    let permissions: UInt32
    let uid: Int64
    let gid: Int64
    let modifiedSeconds: Int64
    let modifiedNanoseconds: Int
    let deviceMajor: UInt64
    let deviceMinor: UInt64
    let extendedAttributes: [ExtendedAttribute]

    /// Copies the header out of libarchive. In the "C" locale, which a Swift program runs in, it hands names through
    /// byte for
    /// byte; `nil` when there is no path at all.
    init?(_ entry: OpaquePointer) {
        guard let path = archive_entry_pathname(entry) else { return nil }
        self.path = Self.bytes(path)
        if let target = archive_entry_hardlink(entry) {
            kind = .hardLink
            linkTarget = Self.bytes(target)
        } else {
            kind = Self.kind(UInt32(archive_entry_filetype(entry)))
            linkTarget = archive_entry_symlink(entry).map(Self.bytes) ?? []
        }
        sizeBytes = archive_entry_size(entry)
        isSparse = archive_entry_sparse_count(entry) > 0
        permissions = UInt32(archive_entry_perm(entry)) & 0o7777
        uid = archive_entry_uid(entry)
        gid = archive_entry_gid(entry)
        modifiedSeconds = Int64(archive_entry_mtime(entry))
        modifiedNanoseconds = archive_entry_mtime_nsec(entry)
        deviceMajor = UInt64(archive_entry_rdevmajor(entry))
        deviceMinor = UInt64(archive_entry_rdevminor(entry))
        extendedAttributes = Self.attributes(of: entry)
    }

    private static func kind(_ type: UInt32) -> Kind {
        switch type {
        case 0o100000: .regular
        case 0o040000: .directory
        case 0o120000: .symbolicLink
        case 0o020000: .characterDevice
        case 0o060000: .blockDevice
        case 0o010000: .fifo
        case 0o140000: .socket
        default: .unknown
        }
    }

    private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
        var length = 0
        while text[length] != 0 { length += 1 }
        return [UInt8](UnsafeRawBufferPointer(start: text, count: length))
    }

    private static func attributes(of entry: OpaquePointer) -> [ExtendedAttribute] {
        guard archive_entry_xattr_reset(entry) > 0 else { return [] }
        var attributes: [ExtendedAttribute] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK {
            guard let name else { continue }
            let content = value.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: size)) } ?? []
            attributes.append(ExtendedAttribute(name: bytes(name), value: content))
        }
        return attributes
    }
}
