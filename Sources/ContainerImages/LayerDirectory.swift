import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// File operations of the unpacker on one directory descriptor and one raw name. Names come from archives: they are
/// bytes, not
/// text, a single component, never `.` or `..`, and no operation here follows a symbolic link in them.
enum LayerDirectory {
    /// A name as the NUL-terminated string the kernel takes.
    static func terminated(_ name: some Collection<UInt8>) -> [CChar] {
        var text = name.map { CChar(bitPattern: $0) }
        text.append(0)
        return text
    }

    /// openat(2) with `O_NOFOLLOW`.
    static func open(
        _ directory: Int32, _ name: some Collection<UInt8>, _ flags: Int32, mode: mode_t = 0
    ) throws(KernelError) -> OwnedDescriptor {
        let path = terminated(name)
        return OwnedDescriptor(
            owning: try kernelCall("openat", ImageError.quoted(name)) {
                openat(directory, path, flags | O_NOFOLLOW | O_CLOEXEC, mode)
            })
    }

    /// Opens a directory below `root` by a path whose symbolic links resolve inside `root`, whatever they say.
    static func openInRoot(_ root: Int32, _ path: [UInt8]) throws(KernelError) -> OwnedDescriptor {
        let text = terminated(path)
        let resolve = CLinux_RESOLVE_IN_ROOT | CLinux_RESOLVE_NO_MAGICLINKS | CLinux_RESOLVE_NO_XDEV
        return OwnedDescriptor(
            owning: try kernelCall("openat2", ImageError.quoted(path)) {
                CLinux_openat2(root, text, UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, resolve)
            })
    }

    /// The path that leads to the same place below `root` as `components` do, and through no symbolic link.
    static func pathWithoutLinks(
        _ root: Int32, _ components: ArraySlice<ArraySlice<UInt8>>
    ) throws(KernelError) -> [UInt8] {
        var rest = components.map { Array($0) }
        var resolved: [[UInt8]] = []
        var links = 0
        while !rest.isEmpty {
            let component = rest.removeFirst()
            if component == [0x2E] { continue }
            if component == [0x2E, 0x2E] {
                _ = resolved.popLast()
                continue
            }
            let parent = try resolved.isEmpty ? duplicate(root) : openInRoot(root, joined(resolved))
            let status = try status(parent.raw, component)
            guard let status, status.st_mode & S_IFMT == S_IFLNK else {
                resolved.append(component)
                continue
            }
            links += 1
            guard links <= 40 else { throw KernelError("readlinkat", errno: .tooManySymbolicLinkLevels) }
            let target = try symbolicLinkTarget(parent.raw, component)
            if target.first == UInt8(ascii: "/") { resolved = [] }
            rest = target.split(separator: UInt8(ascii: "/")).map(Array.init) + rest
        }
        return joined(resolved)
    }

    private static func joined(_ components: [[UInt8]]) -> [UInt8] {
        Array(components.joined(separator: [UInt8(ascii: "/")]))
    }

    private static func duplicate(_ descriptor: Int32) throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(owning: try kernelCall("dup") { CLinux_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 0) })
    }

    /// fstatat(2) without following; `nil` when there is no such entry.
    static func status(_ directory: Int32, _ name: some Collection<UInt8>) throws(KernelError) -> stat? {
        let path = terminated(name)
        var status = stat()
        if fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
        switch Errno.current {
        case .noSuchFileOrDirectory: return nil
        default: throw KernelError.last("fstatat", ImageError.quoted(name))
        }
    }

    /// fstat(2).
    static func status(_ descriptor: Int32) throws(KernelError) -> stat {
        var status = stat()
        try kernelCall("fstat") { fstat(descriptor, &status) }
        return status
    }

    static func isDirectory(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

    /// A character device 0:0 is overlayfs's mark for "the lower entry of this name is gone".
    static func isWhiteout(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0 }

    static func makeWhiteout(_ directory: Int32, _ name: some Collection<UInt8>) throws(KernelError) {
        let path = terminated(name)
        try kernelCall("mknodat", ImageError.quoted(name)) { CLinux_mknodat(directory, path, S_IFCHR, 0, 0) }
    }

    /// Hides what lower layers have in this directory.
    static func makeOpaque(_ directory: Int32) throws(KernelError) {
        try kernelCall("fsetxattr", "trusted.overlay.opaque") {
            CLinux_fsetxattr(directory, "trusted.overlay.opaque", "y", 1)
        }
    }

    static func isOpaque(_ directory: Int32) -> Bool {
        var value: UInt8 = 0
        return CLinux_fgetxattr(directory, "trusted.overlay.opaque", &value, 1) == 1 && value == UInt8(ascii: "y")
    }

    /// readlinkat(2).
    static func symbolicLinkTarget(_ directory: Int32, _ name: some Collection<UInt8>) throws(KernelError) -> [UInt8] {
        let path = terminated(name)
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try kernelCall("readlinkat", ImageError.quoted(name)) {
            readlinkat(directory, path, &buffer, buffer.count)
        }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }

    /// The raw names in a directory, without `.` and `..`.
    static func names(_ directory: borrowing OwnedDescriptor) throws(KernelError) -> [[UInt8]] {
        let copy = try directory.open(".", O_RDONLY | O_DIRECTORY)
        guard let stream = fdopendir(copy.raw) else { throw KernelError.last("fdopendir") }
        _ = copy.release()
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
        }
        return names
    }

    /// Removes an entry and everything below it, following nothing and leaving other file systems alone (EXDEV, EBUSY).
    ///
    /// Sub-directories are first moved up beside the one being emptied: a tree nested deeper than there are descriptors
    /// is removed with two.
    static func remove(_ directory: Int32, _ name: some Collection<UInt8>) throws(KernelError) {
        let path = terminated(name)
        if unlinkat(directory, path, 0) == 0 { return }
        switch Errno.current {
        case .noSuchFileOrDirectory: return
        case .isDirectory, .notPermitted: break
        default: throw KernelError.last("unlinkat", ImageError.quoted(name))
        }
        let top = try open(directory, name, O_RDONLY | O_DIRECTORY)
        var moved: UInt64 = 0
        var pending = try emptied(top)
        while let child = pending.popLast() {
            let nested = try open(top.raw, child, O_RDONLY | O_DIRECTORY)
            for grandchild in try emptied(nested) {
                let lifted = try lift(grandchild, from: nested.raw, to: top.raw, counter: &moved)
                pending.append(lifted)
            }
            let childPath = terminated(child)
            try kernelCall("rmdir", ImageError.quoted(child)) { unlinkat(top.raw, childPath, AT_REMOVEDIR) }
        }
        try kernelCall("rmdir", ImageError.quoted(name)) { unlinkat(directory, path, AT_REMOVEDIR) }
    }

    /// Unlinks everything but directories; gives the names of those.
    private static func emptied(_ directory: borrowing OwnedDescriptor) throws(KernelError) -> [[UInt8]] {
        var directories: [[UInt8]] = []
        for name in try names(directory) {
            let path = terminated(name)
            if unlinkat(directory.raw, path, 0) == 0 { continue }
            switch Errno.current {
            case .isDirectory, .notPermitted: directories.append(name)
            case .noSuchFileOrDirectory: continue
            default: throw KernelError.last("unlinkat", ImageError.quoted(name))
            }
        }
        return directories
    }

    private static func lift(
        _ name: [UInt8], from nested: Int32, to top: Int32, counter: inout UInt64
    ) throws(KernelError) -> [UInt8] {
        let source = terminated(name)
        while true {
            let candidate = Array(".removing-\(counter)".utf8)
            counter += 1
            let target = terminated(candidate)
            // Without replacing: an archive may have used our temporary name for a directory of its own.
            if CLinux_rename_noreplace(nested, source, top, target) == 0 { return candidate }
            guard Errno.current == .fileExists else { throw KernelError.last("renameat2", ImageError.quoted(name)) }
        }
    }
}
