import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Unpacks one layer archive into one directory as an overlayfs layer, entry by entry, so that nothing an archive says
/// is ever
/// read, written, linked or removed outside that directory.
///
/// Every parent is opened by openat2(2) with `RESOLVE_IN_ROOT` from the layer's own descriptor, every last component
/// is used
/// without following links, and later entries replace earlier ones (OCI image-spec, "Layer changesets"). Runs as root
/// on one thread.
final class LayerUnpacker {
    let root: OwnedDescriptor
    let limits: UnpackLimits
    let subject: String
    /// The bottom layer hides nothing: its whiteouts mean nothing and overlayfs would list them.
    let hasParent: Bool
    var result = UnpackedLayer()
    private var cachedParentPath: [UInt8]?
    private var cachedParent: OwnedDescriptor?

    /// `directory` exists and is empty. `subject` begins every message.
    init(directory: String, hasParent: Bool, limits: UnpackLimits, subject: String) throws(ImageError) {
        root = try storing(subject) { () throws(KernelError) in
            try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        }
        self.hasParent = hasParent
        self.limits = limits
        self.subject = subject
        let status = try storing(subject) { () throws(KernelError) in try LayerDirectory.status(root.raw) }
        result.implicitDirectories[UInt64(status.st_ino)] = []
    }

    /// Unpacks all entries of a tar reader. Directory times are still to be set by
    /// ``UnpackedLayer/finish(directory:lowers:subject:)``.
    func unpack(_ reader: ArchiveReader) throws(ImageError) -> UnpackedLayer {
        while let entry = try reader.nextEntry() {
            do {
                try apply(entry, reader)
            } catch let error as KernelError {
                throw ImageError(.storage, "\(subject), entry \(ImageError.quoted(entry.path)): \(error)")
            } catch let error as ImageError {
                throw error
            } catch {
                throw ImageError(.storage, "\(subject), entry \(ImageError.quoted(entry.path)): \(error)")
            }
        }
        return result
    }

    func failure(_ code: ImageError.Code, _ path: [UInt8], _ reason: String) -> ImageError {
        ImageError(code, "\(subject), entry \(ImageError.quoted(path)): \(reason)")
    }

    // MARK: Paths

    /// The components of an archive path: leading `/` and `./` dropped, `..` refused.
    func components(_ path: [UInt8], of entry: ArchiveEntry, what: String = "path") throws(ImageError) -> [ArraySlice<
        UInt8
    >] {
        guard path.count <= limits.pathBytes else {
            throw failure(.limitExceeded, entry.path, "its \(what) is longer than \(limits.pathBytes) bytes")
        }
        let components = path.split(separator: UInt8(ascii: "/")).filter { $0 != [0x2E] }
        guard components.count <= limits.pathComponents else {
            throw failure(.limitExceeded, entry.path, "its \(what) is deeper than \(limits.pathComponents) directories")
        }
        for component in components {
            guard component != [0x2E, 0x2E] else {
                throw failure(.unsafePath, entry.path, "its \(what) has a \"..\" component")
            }
            guard component.count <= 255 else {
                throw failure(.limitExceeded, entry.path, "its \(what) has a name longer than 255 bytes")
            }
        }
        return components
    }

    /// The descriptor of a parent directory inside the root, missing directories made; valid until the next call.
    func parent(_ components: ArraySlice<ArraySlice<UInt8>>, of entry: ArchiveEntry) throws -> Int32 {
        guard !components.isEmpty else { return root.raw }
        let path = Array(components.joined(separator: [UInt8(ascii: "/")]))
        if path == cachedParentPath, let descriptor = cachedParent?.raw { return descriptor }
        let opened: OwnedDescriptor
        do {
            opened = try LayerDirectory.openInRoot(root.raw, path)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory, .notDirectory: opened = try makeParents(components, of: entry)
            case .tooManySymbolicLinkLevels:
                throw failure(.unsafePath, entry.path, "a parent directory is a loop of symbolic links")
            default: throw error
            }
        }
        let descriptor = opened.raw
        cachedParent = consume opened
        cachedParentPath = path
        return descriptor
    }

    private func makeParents(_ components: ArraySlice<ArraySlice<UInt8>>, of entry: ArchiveEntry) throws
        -> OwnedDescriptor
    {
        var current = try root.duplicate()
        var path: [UInt8] = []
        for component in components {
            if !path.isEmpty { path.append(UInt8(ascii: "/")) }
            path.append(contentsOf: component)
            if let next = try? LayerDirectory.openInRoot(root.raw, path) {
                current = next
                continue
            }
            let existing = try LayerDirectory.status(current.raw, component)
            if let existing, !LayerDirectory.isWhiteout(existing) {
                let reason = existing.st_mode & S_IFMT == S_IFLNK ? "a dangling symbolic link" : "not a directory"
                throw failure(.unsafePath, entry.path, "its parent \(ImageError.quoted(path)) is \(reason)")
            }
            try LayerDirectory.remove(current.raw, component)
            try countInode(of: entry)
            let name = LayerDirectory.terminated(component)
            try kernelCall("mkdirat", ImageError.quoted(path)) { mkdirat(current.raw, name, 0o755) }
            let made = try LayerDirectory.open(current.raw, component, O_RDONLY | O_DIRECTORY)
            if existing != nil {
                try rememberOpaque(path.split(separator: UInt8(ascii: "/"))[...], descriptor: made.raw, of: entry)
            }
            try remember(path, of: entry)
            result.implicitDirectories[UInt64(try LayerDirectory.status(made.raw).st_ino)] = path
            current = made
        }
        return current
    }

    /// Called after a removal: a cached path may now mean something else.
    func forgetParent() {
        cachedParent = nil
        cachedParentPath = nil
    }

    /// The mark is set at the end, when the path may lead elsewhere if it has symbolic links: it is remembered without them.
    func rememberOpaque(
        _ components: ArraySlice<ArraySlice<UInt8>>, descriptor: Int32, of entry: ArchiveEntry
    ) throws {
        let path = try LayerDirectory.pathWithoutLinks(root.raw, components)
        guard path.count <= limits.pathBytes else {
            throw failure(.limitExceeded, entry.path, "leads to a path longer than \(limits.pathBytes) bytes")
        }
        try remember(path, of: entry)
        result.opaqueDirectories[UInt64(try LayerDirectory.status(descriptor).st_ino)] = path
    }

    // MARK: Limits

    func countInode(of entry: ArchiveEntry) throws(ImageError) {
        result.inodes += 1
        guard result.inodes <= limits.layerInodes else {
            throw failure(.limitExceeded, entry.path, "the layer has more than \(limits.layerInodes) files")
        }
    }

    func countBytes(_ count: Int64, of entry: ArchiveEntry) throws(ImageError) {
        let (total, overflow) = result.bytes.addingReportingOverflow(max(0, count))
        guard !overflow, total <= limits.layerBytes else {
            throw failure(.limitExceeded, entry.path, "the layer's files are larger than \(limits.layerBytes) bytes")
        }
        result.bytes = total
    }

    func remember(_ path: [UInt8], of entry: ArchiveEntry) throws(ImageError) {
        result.rememberedBytes += path.count + 64
        guard result.rememberedBytes <= limits.rememberedPathBytes else {
            throw failure(.limitExceeded, entry.path, "the layer's directory names are too many or too long")
        }
    }
}
