import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Prefix of whiteouts and of the names reserved with them (OCI image-spec, "Whiteouts").
private let whiteoutPrefix = Array(".wh.".utf8)

extension LayerUnpacker {
    /// Makes what one entry describes.
    func apply(_ entry: ArchiveEntry, _ reader: ArchiveReader) throws {
        let path = try components(entry.path, of: entry)
        guard let name = path.last else { return try applyRoot(entry) }
        let parents = path.dropLast()
        guard !parents.contains(where: { $0.starts(with: whiteoutPrefix) }) else {
            throw failure(.unsafePath, entry.path, "names that start with \".wh.\" are reserved for whiteouts")
        }
        if name.starts(with: whiteoutPrefix) {
            return try applyWhiteout(name.dropFirst(whiteoutPrefix.count), in: parents, of: entry)
        }
        switch entry.kind {
        case .regular: try makeFile(name, in: parents, entry, reader)
        case .directory: try makeDirectory(name, in: parents, entry)
        case .symbolicLink: try makeSymbolicLink(name, in: parents, entry)
        case .hardLink: try makeHardLink(name, in: parents, entry)
        case .characterDevice: try makeNode(name, in: parents, entry, type: S_IFCHR)
        case .blockDevice: try makeNode(name, in: parents, entry, type: S_IFBLK)
        case .fifo: try makeNode(name, in: parents, entry, type: S_IFIFO)
        case .socket: break  // means nothing without the process that bound it
        case .unknown: throw failure(.invalidArchive, entry.path, "has an unknown type")
        }
    }

    private func applyRoot(_ entry: ArchiveEntry) throws {
        guard entry.kind == .directory else {
            throw failure(.unsafePath, entry.path, "the root can only be a directory")
        }
        try setMetadata(root.raw, entry, extendedAttributes: true)
        try rememberTimes([], descriptor: root.raw, of: entry)
    }

    // MARK: Whiteouts

    private func applyWhiteout(
        _ target: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, of entry: ArchiveEntry
    ) throws {
        if target == Array(".wh..opq".utf8)[...] {
            guard hasParent else { return }
            if parents.isEmpty { result.opaqueRoot = true }
            return try rememberOpaque(parents, descriptor: try parent(parents, of: entry), of: entry)
        }
        // The rest of this family is bookkeeping of aufs.
        if target.starts(with: whiteoutPrefix) { return }
        guard !target.isEmpty, target != [0x2E], target != [0x2E, 0x2E] else {
            throw failure(.unsafePath, entry.path, "is a whiteout of nothing, \".\" or \"..\"")
        }
        guard hasParent else { return }
        let directory = try parent(parents, of: entry)
        if let existing = try LayerDirectory.status(directory, target) {
            // A whiteout speaks of the layers below; what this layer itself has under that name stays.
            guard LayerDirectory.isDirectory(existing) else { return }
            let own = try LayerDirectory.open(directory, target, O_RDONLY | O_DIRECTORY)
            return try rememberOpaque(parents + [target], descriptor: own.raw, of: entry)
        }
        try countInode(of: entry)
        try LayerDirectory.makeWhiteout(directory, target)
        let path = Array((Array(parents) + [target]).joined(separator: [UInt8(ascii: "/")]))
        try remember(path, of: entry)
        result.whiteouts.append(path)
    }

    // MARK: Directories

    private func makeDirectory(
        _ name: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, _ entry: ArchiveEntry
    ) throws {
        let directory = try parent(parents, of: entry)
        let existing = try LayerDirectory.status(directory, name)
        if existing.map(LayerDirectory.isDirectory) != true {
            if existing != nil { try LayerDirectory.remove(directory, name) }
            try countInode(of: entry)
            let path = LayerDirectory.terminated(name)
            try kernelCall("mkdirat") { mkdirat(directory, path, 0o700) }
        }
        let made = try LayerDirectory.open(directory, name, O_RDONLY | O_DIRECTORY)
        // What replaces a file or a whiteout must not merge with a directory of that name further down.
        if let existing, !LayerDirectory.isDirectory(existing), hasParent {
            try rememberOpaque(parents + [name], descriptor: made.raw, of: entry)
        }
        try setMetadata(made.raw, entry, extendedAttributes: true)
        let path = Array((Array(parents) + [name]).joined(separator: [UInt8(ascii: "/")]))
        try rememberTimes(path, descriptor: made.raw, of: entry)
        if let existing, !LayerDirectory.isDirectory(existing) { forgetParent() }
    }

    private func rememberTimes(_ path: [UInt8], descriptor: Int32, of entry: ArchiveEntry) throws {
        result.implicitDirectories[UInt64(try LayerDirectory.status(descriptor).st_ino)] = nil
        try remember(path, of: entry)
        result.directoryTimes.append(UnpackedLayer.DirectoryTime(path: path, modified: Self.time(entry)))
    }

    // MARK: Everything else

    /// The parent's descriptor, with nothing under `name` any more.
    private func vacant(_ name: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, _ entry: ArchiveEntry)
        throws -> Int32
    {
        let directory = try parent(parents, of: entry)
        if let existing = try LayerDirectory.status(directory, name) {
            try LayerDirectory.remove(directory, name)
            if existing.st_mode & S_IFMT == S_IFDIR || existing.st_mode & S_IFMT == S_IFLNK {
                forgetParent()
                return try vacant(name, in: parents, entry)
            }
        }
        return directory
    }

    private func makeFile(
        _ name: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, _ entry: ArchiveEntry,
        _ reader: ArchiveReader
    ) throws {
        try countBytes(entry.sizeBytes, of: entry)
        try countInode(of: entry)
        let file = try newFile(name, in: parents, entry)
        var end: Int64 = 0
        while let block = try reader.nextBlock() {
            let (next, overflow) = block.offset.addingReportingOverflow(Int64(block.bytes.count))
            guard block.offset >= 0, !overflow, next <= entry.sizeBytes else {
                throw failure(.invalidArchive, entry.path, "has more data than its header says")
            }
            try Self.write(block.bytes, at: block.offset, to: file.raw)
            end = max(end, next)
        }
        if end < entry.sizeBytes {
            // The rest is a hole: a sparse file's end, never missing data, which libarchive reports as truncation.
            try kernelCall("ftruncate") { ftruncate(file.raw, off_t(entry.sizeBytes)) }
        }
        try setMetadata(file.raw, entry, extendedAttributes: true)
        var times = [Self.time(entry), Self.time(entry)]
        try kernelCall("futimens") { futimens(file.raw, &times) }
    }

    /// A file that was not there: what is in its place, which is rare, goes first.
    private func newFile(
        _ name: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, _ entry: ArchiveEntry
    ) throws -> OwnedDescriptor {
        let flags = O_WRONLY | O_CREAT | O_EXCL
        let directory = try parent(parents, of: entry)
        do throws(KernelError) {
            return try LayerDirectory.open(directory, name, flags, mode: 0o600)
        } catch {
            guard error.errno == .fileExists else { throw error }
        }
        return try LayerDirectory.open(try vacant(name, in: parents, entry), name, flags, mode: 0o600)
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64, to file: Int32) throws(KernelError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try kernelCall("pwrite") { pwrite(file, rest.baseAddress, rest.count, off_t(offset) + off_t(done)) }
        }
    }

    private func makeSymbolicLink(
        _ name: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, _ entry: ArchiveEntry
    ) throws {
        guard !entry.linkTarget.isEmpty, entry.linkTarget.count <= limits.pathBytes else {
            throw failure(.invalidArchive, entry.path, "is a symbolic link with an empty or too long target")
        }
        let directory = try vacant(name, in: parents, entry)
        try countInode(of: entry)
        let target = LayerDirectory.terminated(entry.linkTarget)
        let path = LayerDirectory.terminated(name)
        try kernelCall("symlinkat") { symlinkat(target, directory, path) }
        try setOwnerAndTimes(directory, path, entry)
    }

    private func makeHardLink(
        _ name: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, _ entry: ArchiveEntry
    ) throws {
        let target = try components(entry.linkTarget, of: entry, what: "hard link target")
        guard let targetName = target.last else { throw failure(.unsafePath, entry.path, "is a hard link to the root") }
        let shown = ImageError.quoted(entry.linkTarget)
        let absent = failure(.unsafePath, entry.path, "its hard link target \(shown) is not in this layer")
        let source: OwnedDescriptor = try linkSource(target.dropLast(), orThrow: absent)
        let found = try LayerDirectory.status(source.raw, targetName)
        guard let found, !LayerDirectory.isWhiteout(found) else { throw absent }
        guard !LayerDirectory.isDirectory(found) else {
            throw failure(.unsafePath, entry.path, "its hard link target \(shown) is a directory")
        }
        // A link to itself would remove the file it links to.
        let existing = try LayerDirectory.status(try parent(parents, of: entry), name)
        if existing?.st_ino == found.st_ino { return }
        let directory = try vacant(name, in: parents, entry)
        try countInode(of: entry)
        let from = LayerDirectory.terminated(targetName)
        let to = LayerDirectory.terminated(name)
        // Flags 0: a symbolic link is linked itself. Owner, mode and times are the first name's: none are set again.
        if linkat(source.raw, from, directory, to, 0) != 0 {
            guard Errno.current == .noSuchFileOrDirectory else { throw KernelError.last("linkat", shown) }
            throw failure(.unsafePath, entry.path, "its hard link target \(shown) was below what it replaces")
        }
    }

    private func linkSource(
        _ directory: ArraySlice<ArraySlice<UInt8>>, orThrow absent: ImageError
    ) throws(ImageError) -> OwnedDescriptor {
        let path = Array(directory.joined(separator: [UInt8(ascii: "/")]))
        do {
            return try path.isEmpty ? root.duplicate() : LayerDirectory.openInRoot(root.raw, path)
        } catch {
            throw absent
        }
    }

    private func makeNode(
        _ name: ArraySlice<UInt8>, in parents: ArraySlice<ArraySlice<UInt8>>, _ entry: ArchiveEntry, type: mode_t
    ) throws {
        guard let major = UInt32(exactly: entry.deviceMajor), let minor = UInt32(exactly: entry.deviceMinor) else {
            throw failure(.invalidArchive, entry.path, "has a device number out of range")
        }
        guard type != S_IFCHR || major != 0 || minor != 0 else {
            throw failure(.unsafePath, entry.path, "is a character device 0:0, which only a whiteout may become")
        }
        let directory = try vacant(name, in: parents, entry)
        try countInode(of: entry)
        let path = LayerDirectory.terminated(name)
        let numbers: (UInt32, UInt32) = type == S_IFIFO ? (0, 0) : (major, minor)
        try kernelCall("mknodat") { CLinux_mknodat(directory, path, type | 0o600, numbers.0, numbers.1) }
        try setOwnerAndTimes(directory, path, entry)
        // Made one line above by the only writer of this tree, so it is no symbolic link.
        try kernelCall("fchmodat") { fchmodat(directory, path, mode_t(entry.permissions), 0) }
    }
}
