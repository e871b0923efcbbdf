import CLinux
import Glibc
import SystemPackage

/// Small-file and directory operations with one error type. Paths are the agent's own (class 1); a path with any part under a
/// container's control goes through ``OwnedDescriptor/openInRoot(_:_:mode:)`` instead.
public enum FileSystem {
    /// Reads a whole file of at most `limit` bytes. A FIFO in its place is empty: nobody is waited for.
    public static func read(_ path: String, limit: Int = 1 << 20) throws(KernelError) -> [UInt8] {
        let file = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK)
        do { return try file.readAll(limit: limit) } catch { throw KernelError("read", path, errno: error.errno) }
    }

    /// Reads a whole small text file, such as one of /proc or a cgroup.
    public static func readText(_ path: String, limit: Int = 1 << 20) throws(KernelError) -> String {
        String(decoding: try read(path, limit: limit), as: UTF8.self)
    }

    /// Writes to an existing file in one call, as kernel interfaces want it (no create, no truncate).
    public static func writeKernelFile(_ path: String, _ text: String) throws(KernelError) {
        let file = try OwnedDescriptor.open(path, O_WRONLY)
        let bytes = Array(text.utf8)
        try kernelCall("write \"\(text)\" to", path) { Glibc.write(file.raw, bytes, bytes.count) }
    }

    /// Replaces a file so that a reader, or the next boot after a power cut, sees the old content or the new, never a mix:
    /// temporary file, fsync, rename, fsync of the directory. `durable: false` leaves out both fsyncs (tmpfs).
    public static func writeAtomically(
        _ path: String, _ bytes: some Collection<UInt8>, mode: UInt32 = 0o600, durable: Bool = true
    ) throws(KernelError) {
        let target = FilePath(path)
        let directory = target.removingLastComponent().string
        let temporary = path + ".tmp"
        unlink(temporary)
        do {
            let file = try OwnedDescriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
            try kernelCall("fchmod", temporary) { fchmod(file.raw, mode) }
            try file.writeAll(bytes)
            if durable { try kernelCall("fsync", temporary) { fsync(file.raw) } }
            try kernelCall("rename", path) { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw KernelError(error.operation, path, errno: error.errno)
        }
        if durable {
            let parent = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
            try kernelCall("fsync", directory) { fsync(parent.raw) }
        }
    }

    /// mkdir(2) for the path and every missing parent; an existing directory is fine.
    public static func makeDirectories(_ path: String, mode: UInt32 = 0o700) throws(KernelError) {
        if mkdir(path, mode) == 0 { return }
        let failure = Errno.current
        switch failure {
        case .fileExists:
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
            throw KernelError("mkdir", path, errno: .notDirectory)
        case .noSuchFileOrDirectory:
            let parent = FilePath(path).removingLastComponent().string
            guard !parent.isEmpty, parent != path else { throw KernelError("mkdir", path, errno: failure) }
            try makeDirectories(parent, mode: mode)
            if mkdir(path, mode) != 0, Errno.current != .fileExists { throw KernelError.last("mkdir", path) }
        default:
            throw KernelError("mkdir", path, errno: failure)
        }
    }

    /// ``makeDirectories(_:mode:)`` for one whose subdirectories come and go each by itself: ext4 then places them far from each
    /// other. Beside each other, new files would be searched for past all those that went in the last minutes, which ext4 does not use
    /// again so soon: with thousands of them that takes longer than anything else. Other file systems have no such mark.
    public static func makeHierarchyTop(_ path: String, mode: UInt32 = 0o700) throws(KernelError) {
        try makeDirectories(path, mode: mode)
        let directory = try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY)
        _ = CLinux_mark_top_directory(directory.raw)
    }

    /// Names in a directory, without `.` and `..`, sorted. An absent directory is empty.
    public static func list(_ path: String) throws(KernelError) -> [String] {
        guard let stream = opendir(path) else {
            if Errno.current == .noSuchFileOrDirectory { return [] }
            throw KernelError.last("opendir", path)
        }
        defer { closedir(stream) }
        return names(in: stream)
    }

    private static func names(in stream: OpaquePointer) -> [String] {
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// lstat(2) succeeds.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Removes a tree without following a symbolic link and without crossing a mount: everything is reached by
    /// descriptor, and an entry on another device is left alone and reported as EBUSY. An absent path is fine.
    public static func removeTree(_ path: String) throws(KernelError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if Errno.current == .noSuchFileOrDirectory { return }
            throw KernelError.last("lstat", path)
        }
        if status.st_mode & S_IFMT != S_IFDIR {
            try kernelCall("unlink", path) { unlink(path) }
            return
        }
        let directory = try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try removeContents(of: directory, device: status.st_dev, path: path)
        try kernelCall("rmdir", path) { rmdir(path) }
    }

    private static func removeContents(
        of directory: borrowing OwnedDescriptor, device: dev_t, path: String
    ) throws(KernelError) {
        let copy = try directory.duplicate()
        guard let stream = fdopendir(copy.raw) else { throw KernelError.last("fdopendir", path) }
        _ = copy.release()
        let entries = names(in: stream)
        closedir(stream)
        for name in entries {
            if unlinkat(directory.raw, name, 0) == 0 { continue }
            let failure = Errno.current
            guard failure == .isDirectory || failure == .notPermitted else {
                throw KernelError("unlinkat", path + "/" + name, errno: failure)
            }
            let child = try directory.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            var status = stat()
            try kernelCall("fstat", path + "/" + name) { fstat(child.raw, &status) }
            guard status.st_dev == device else { throw KernelError("rmdir", path + "/" + name, errno: .resourceBusy) }
            try removeContents(of: child, device: device, path: path + "/" + name)
            try kernelCall("rmdir", path + "/" + name) { unlinkat(directory.raw, name, AT_REMOVEDIR) }
        }
    }
}

extension FileSystem {
    /// What a symbolic link says; nil when the path is none.
    public static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink(path, $0, bytes.count) } ?? -1
        }
        return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
