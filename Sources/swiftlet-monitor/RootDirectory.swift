import CLinux
import MonitorCoreEmbedded

/// The container's root while it is being built, and every path inside it: walked by descriptor so that nothing an image or a
/// volume holds (symbolic links, `..`, magic links) leads out of it.
struct RootDirectory: ~Copyable {
    private let directory: Descriptor

    init(owning raw: Int32) {
        directory = Descriptor(owning: raw)
    }

    var raw: Int32 { directory.raw }

    /// An O_PATH descriptor of what `path` names.
    /// - Parameter ordinary: refuse any symbolic link on the way: a file system of the kernel's is mounted on ordinary directories only.
    func locate(_ path: CString, ordinary: Bool = false) throws(SystemError) -> Descriptor {
        var resolve = CLinux_RESOLVE_IN_ROOT | CLinux_RESOLVE_NO_MAGICLINKS
        if ordinary { resolve |= CLinux_RESOLVE_NO_SYMLINKS }
        let flags = UInt64(UInt32(bitPattern: O_PATH | O_CLOEXEC))
        return Descriptor(
            owning: try call { path.withPointer { CLinux_openat2(directory.raw, $0, flags, 0, resolve) } })
    }

    /// As ``locate(_:ordinary:)``, making what is missing: directories 0755, and a file or directory at the end.
    func locateOrCreate(
        _ path: CString, kind: BindMount.TargetKind, ordinary: Bool = false
    ) throws(SystemError) -> Descriptor {
        do { return try locate(path, ordinary: ordinary) } catch {
            if error.errno != ENOENT { throw error }
        }
        var prefix: [UInt8] = []
        var parent = try copy()
        var components = split(path)
        var index = 0
        var linksLeft = RootDirectory.linkLimit
        while index < components.count {
            let soFarBytes = prefix + [0x2F] + components[index]
            guard let name = CString(components[index]), let soFar = CString(soFarBytes) else {
                throw SystemError(EINVAL)
            }
            do { parent = try locate(soFar, ordinary: ordinary) } catch {
                if error.errno != ENOENT { throw error }
                if let target = try readLink(name, in: parent) {
                    // A link to what is not there yet: that place is made, seen from inside the root.
                    if linksLeft == 0 || ordinary { throw SystemError(ELOOP) }
                    linksLeft -= 1
                    components = split(target) + components[(index + 1)...]
                    index = 0
                    if target.text.first == 0x2F {
                        prefix = []
                        parent = try copy()
                    }
                    continue
                }
                try make(name, in: parent, kind: index == components.count - 1 ? kind : .directory)
                parent = try locate(soFar, ordinary: ordinary)
            }
            prefix = soFarBytes
            index += 1
        }
        return parent
    }

    /// As many links as the kernel follows in one path.
    private static let linkLimit = 40

    private func copy() throws(SystemError) -> Descriptor {
        let raw = directory.raw
        return Descriptor(owning: try call { CLinux_fcntl_int(raw, F_DUPFD_CLOEXEC, 0) })
    }

    /// Where the symbolic link `name` leads; nil when there is none.
    private func readLink(_ name: CString, in parent: borrowing Descriptor) throws(SystemError) -> CString? {
        let raw = parent.raw
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            // Never nil: the buffer is not empty.
            let start = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self)
            return name.withPointer { readlinkat(raw, $0, start, bytes.count) }
        }
        if count < 0 {
            let failure = SystemError.last
            if failure.errno == ENOENT || failure.errno == EINVAL { return nil }
            throw failure
        }
        guard let target = CString(buffer[0..<count]) else { throw SystemError(EINVAL) }
        return target
    }

    /// The parent directory of `path`, made when missing, and the last component.
    func parent(of path: CString) throws(SystemError) -> (directory: Int32, name: CString) {
        let components = split(path)
        guard let last = components.last, let name = CString(last) else { throw SystemError(EINVAL) }
        var prefix: [UInt8] = [0x2F]
        for component in components.dropLast() {
            prefix.append(contentsOf: component)
            prefix.append(0x2F)
        }
        guard let directory = CString(prefix) else { throw SystemError(EINVAL) }
        return (try locateOrCreate(directory, kind: .directory).release(), name)
    }

    private func make(
        _ name: CString, in parent: borrowing Descriptor, kind: BindMount.TargetKind
    ) throws(SystemError) {
        let directory = parent.raw
        switch kind {
        case .directory:
            if name.withPointer({ mkdirat(directory, $0, 0o755) }) != 0, CLinux_errno() != EEXIST {
                throw SystemError.last
            }
        case .file:
            let flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC
            close(try call { name.withPointer { CLinux_openat(directory, $0, flags, 0o644) } })
        }
    }

    private func split(_ path: CString) -> [[UInt8]] {
        var components: [[UInt8]] = []
        var current: [UInt8] = []
        for byte in path.text {
            if byte == 0x2F {
                if !current.isEmpty { components.append(current) }
                current = []
            } else {
                current.append(byte)
            }
        }
        if !current.isEmpty { components.append(current) }
        return components
    }
}
