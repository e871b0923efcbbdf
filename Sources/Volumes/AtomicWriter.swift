import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Replaces all files of a directory at once, as Kubernetes lays object volumes out, so that programs that know the
/// layout (and watch `..data`) work:
///
///     ..2026_11_21_11_44_11.123456789/  the files
///     ..data -> ..2026_11_21_11_44_11.123456789
///     name   -> ..data/name             for each first component of a path
///
/// A change writes a new directory and renames a link over `..data`: a reader that has opened `..data` sees one version
/// throughout. Killed at any point, the next write finishes what is missing and removes what is left over. A file that stays as it
/// is stands in both versions: nobody but this writer can write to it, and this one never writes twice.
struct AtomicWriter {
    private static let dataLink = "..data"
    private static let temporaryLink = "..data_tmp"
    private static let manyFiles = 100
    private static let fewFiles = 16

    let directory: String
    /// Who owns all files; nil leaves them to root.
    let userID: UInt32?
    let groupID: UInt32?
    /// The group can read all files, and owns what others make beside them; without this their modes stay as they are.
    let isGroupReadable: Bool

    init(directory: String, userID: UInt32? = nil, groupID: UInt32?, isGroupReadable: Bool? = nil) {
        self.directory = directory
        self.userID = userID
        self.groupID = groupID
        self.isGroupReadable = isGroupReadable ?? (groupID != nil)
    }

    /// Something has been written there.
    static func hasContent(_ directory: String) -> Bool { FileSystem.exists(directory + "/" + dataLink) }

    /// Makes `files` the content. False when it, modes and owners included, was so already.
    @discardableResult
    func write(_ files: [VolumeFile]) throws(VolumeError) -> Bool {
        let payload = try Self.checked(files)
        return try volumeCall { () throws(KernelError) in
            let root = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let current = try root.readLink(Self.dataLink).flatMap { Self.isVersionName($0) ? $0 : nil }
            // First of all, so that remains of a write that found no space do not take the space of this one.
            try removeVersions(except: current)
            var version = current
            let kept = current.map { unchanged(root, $0, payload) } ?? []
            if current == nil || kept.count < payload.count || fileCount(current) != payload.count {
                let new = try writeVersion(root, payload, keeping: kept, of: current)
                try publish(root, new)
                version = new
            }
            try updateLinks(root, Set(payload.keys.compactMap { $0.split(separator: "/").first.map(String.init) }))
            try removeVersions(except: version)
            return version != current
        }
    }

    /// The files by cleaned path; refuses paths that leave the directory, hide its bookkeeping or contradict each
    /// other.
    private static func checked(_ files: [VolumeFile]) throws(VolumeError) -> [String: VolumeFile] {
        var payload: [String: VolumeFile] = [:]
        for file in files {
            let path = try VolumePath(file.path)
            guard let first = path.components.first, !first.hasPrefix("..") else {
                throw VolumeError(.unsafePath, "path \"\(file.path)\" must name a file and not start with '..'")
            }
            payload[path.text] = file
        }
        for path in payload.keys {
            var parent = path
            while let slash = parent.lastIndex(of: "/") {
                parent = String(parent[..<slash])
                if payload[parent] != nil {
                    throw VolumeError(
                        .invalid, "path \"\(parent)\" cannot be both a file and the directory of \"\(path)\"")
                }
            }
        }
        return payload
    }

    /// One component that this writer may have made: the link might be anything on a damaged disk.
    private static func isVersionName(_ name: String) -> Bool {
        name.hasPrefix("..") && name.utf8.count > 2 && !name.contains("/") && name != dataLink && name != temporaryLink
    }

    private func fileMode(_ file: VolumeFile) -> UInt32 { isGroupReadable ? file.mode | 0o440 : file.mode }
    private var directoryMode: UInt32 { isGroupReadable ? 0o2755 : 0o755 }
}

extension AtomicWriter {
    /// Paths at which a version has the very files that are wanted: all of them, unless it is to be replaced anyway and most of what was
    /// looked at has changed. Then a look costs more than it saves.
    private func unchanged(
        _ root: borrowing OwnedDescriptor, _ name: String, _ payload: [String: VolumeFile]
    ) -> Set<String> {
        guard let version = try? root.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { return [] }
        var paths: Set<String> = []
        var changed = 0
        for (path, file) in payload {
            if matches(version, path, file) { paths.insert(path) } else { changed += 1 }
            if changed > max(Self.fewFiles, paths.count) { break }
        }
        return paths
    }

    private func matches(_ version: borrowing OwnedDescriptor, _ path: String, _ file: VolumeFile) -> Bool {
        // O_NONBLOCK: a FIFO must not stop the agent.
        guard let existing = try? version.openBeneath(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            let status = try? existing.status()
        else { return false }
        return status.st_mode == S_IFREG | mode_t(fileMode(file)) && status.st_size == file.bytes.count
            && status.st_uid == file.userID ?? userID ?? 0 && status.st_gid == groupID ?? 0
            && (try? existing.fileHolds(file.bytes)) == true
    }

    private func fileCount(_ version: String?) -> Int {
        version.map { fileCount(directory + "/" + $0, depth: 0) } ?? 0
    }

    private func fileCount(_ path: String, depth: Int) -> Int {
        guard depth <= VolumePath.maximumDepth, let names = try? FileSystem.list(path) else { return 0 }
        return names.reduce(0) { count, name in
            var status = stat()
            guard lstat(path + "/" + name, &status) == 0 else { return count }
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            return count + (isDirectory ? fileCount(path + "/" + name, depth: depth + 1) : 1)
        }
    }

    /// Writes all files below a new directory and gives its name.
    private func writeVersion(
        _ root: borrowing OwnedDescriptor, _ payload: [String: VolumeFile], keeping kept: Set<String>,
        of current: String?
    ) throws(KernelError) -> String {
        // Many files: the next version's are not to be searched for among those that this one leaves behind.
        if payload.count >= Self.manyFiles { _ = CLinux_mark_top_directory(root.raw) }
        let name = try makeVersionDirectory(root)
        let version = try root.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try setOwner(version, name, mode: directoryMode)
        let old = try root.open(current ?? name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        var made: Set<String> = []
        for (path, file) in payload {
            try makeParents(of: path, in: version, &made)
            // Most changes leave most files alone, and a name costs a fraction of a file.
            if kept.contains(path), linkat(old.raw, path, version.raw, path, 0) == 0 { continue }
            let target = try version.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try target.writeAll(file.bytes)
            try setOwner(target, path, mode: fileMode(file), userID: file.userID)
        }
        return name
    }

    private func makeVersionDirectory(_ root: borrowing OwnedDescriptor) throws(KernelError) -> String {
        while true {
            let name = Self.versionName()
            if mkdirat(root.raw, name, 0o700) == 0 { return name }
            let failure = KernelError.last("mkdirat", directory + "/" + name)
            if failure.errno != .fileExists { throw failure }
        }
    }

    private func makeParents(
        of path: String, in version: borrowing OwnedDescriptor, _ made: inout Set<String>
    ) throws(KernelError) {
        for (index, byte) in path.utf8.enumerated() where byte == UInt8(ascii: "/") {
            let parent = String(decoding: path.utf8.prefix(index), as: UTF8.self)
            guard made.insert(parent).inserted else { continue }
            try kernelCall("mkdirat", parent) { mkdirat(version.raw, parent, 0o700) }
            let opened = try version.open(parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            try setOwner(opened, parent, mode: directoryMode)
        }
    }

    /// The owner first: chown(2) may clear the setgid bit.
    private func setOwner(
        _ file: borrowing OwnedDescriptor, _ name: String, mode: UInt32, userID own: UInt32? = nil
    ) throws(KernelError) {
        let user = own ?? userID
        if user != nil || groupID != nil {
            try kernelCall("fchown", name) { fchown(file.raw, user ?? uid_t.max, groupID ?? gid_t.max) }
        }
        try kernelCall("fchmod", name) { fchmod(file.raw, mode) }
    }

    private func removeVersions(except kept: String?) throws(KernelError) {
        for name in try FileSystem.list(directory) where name.hasPrefix("..") {
            if name == Self.dataLink || name == kept { continue }
            try FileSystem.removeTree(directory + "/" + name)
        }
    }

    /// The moment of change.
    private func publish(_ root: borrowing OwnedDescriptor, _ version: String) throws(KernelError) {
        unlinkat(root.raw, Self.temporaryLink, 0)
        try makeLink(root, Self.temporaryLink, to: version)
        try kernelCall("renameat", directory + "/" + Self.dataLink) {
            renameat(root.raw, Self.temporaryLink, root.raw, Self.dataLink)
        }
    }

    /// Links for names that are new, none for names that are gone. Directories, which are mount points of other
    /// volumes, stay.
    private func updateLinks(_ root: borrowing OwnedDescriptor, _ names: Set<String>) throws(KernelError) {
        for name in try FileSystem.list(directory) where !name.hasPrefix("..") && !names.contains(name) {
            guard let target = try root.readLink(name), target.hasPrefix(Self.dataLink + "/") else { continue }
            try kernelCall("unlinkat", directory + "/" + name) { unlinkat(root.raw, name, 0) }
        }
        for name in names {
            let target = Self.dataLink + "/" + name
            let existing = try root.readLink(name)
            if existing == target { continue }
            if existing != nil {
                try kernelCall("unlinkat", directory + "/" + name) { unlinkat(root.raw, name, 0) }
            }
            try makeLink(root, name, to: target)
        }
    }

    private func makeLink(_ root: borrowing OwnedDescriptor, _ name: String, to target: String) throws(KernelError) {
        try kernelCall("symlinkat", directory + "/" + name) { symlinkat(target, root.raw, name) }
        if userID != nil || groupID != nil {
            try kernelCall("fchownat", directory + "/" + name) {
                fchownat(root.raw, name, userID ?? uid_t.max, groupID ?? gid_t.max, AT_SYMLINK_NOFOLLOW)
            }
        }
    }

    /// `..2026_11_21_11_44_11.123456789`: UTC, and a random number.
    private static func versionName() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func padded(_ value: Int32, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [padded(parts.tm_year + 1900, 4), padded(parts.tm_mon + 1), padded(parts.tm_mday)]
        let clock = [padded(parts.tm_hour), padded(parts.tm_min), padded(parts.tm_sec)]
        return ".." + (date + clock).joined(separator: "_") + ".\(UInt32.random(in: 0...UInt32.max))"
    }
}
