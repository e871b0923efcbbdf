import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Gives a volume, with all that is in it, to the group of the pods that use it (`fsGroup`): files get the group and may be read and
/// written by it, directories also searched, and what is made in them has the group from the start.
///
/// Other pods may change the volume meanwhile: no link is followed, no mount crossed, and what is changed is what was looked at. The
/// volume's own directory comes last, so that one that looks given is given.
struct GroupOwnership: ~Copyable {
    /// `fsGroupChangePolicy` of a pod.
    enum ChangePolicy: String {
        /// Every time.
        case always = "Always"
        /// Not when the volume's own directory is given already.
        case onRootMismatch = "OnRootMismatch"
    }

    /// Deeper directories stop the walk with an error: each level holds a descriptor.
    static let maximumDepth = 256

    private let group: gid_t
    private var levels: [Level] = []

    /// A directory that is being read.
    private final class Level {
        let stream: OpaquePointer
        let raw: Int32
        let path: String

        init(_ directory: consuming OwnedDescriptor, _ path: String) throws(KernelError) {
            guard let opened = fdopendir(directory.raw) else { throw KernelError.last("fdopendir", path) }
            raw = directory.release()
            stream = opened
            self.path = path
        }

        deinit { closedir(stream) }
    }

    private init(_ group: gid_t) { self.group = group }

    /// - Parameter path: a directory; no part of it may be a link.
    static func give(_ path: String, to group: UInt32, policy: ChangePolicy) throws(KernelError) {
        let top = try OwnedDescriptor.open(
            path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, resolve: CLinux_RESOLVE_NO_SYMLINKS)
        if policy == .onRootMismatch, isGiven(try top.status(), to: group) { return }
        var walk = GroupOwnership(group)
        try walk.run(try Level(top, path))
    }

    /// Nothing is to be changed about it.
    private static func isGiven(_ status: stat, to group: gid_t) -> Bool {
        status.st_gid == group && wantedMode(status) == status.st_mode & 0o7777
    }

    private static func wantedMode(_ status: stat) -> mode_t {
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        return status.st_mode & 0o7777 | (isDirectory ? 0o2770 : 0o660)
    }

    private mutating func run(_ top: Level) throws(KernelError) {
        levels = [top]
        while let level = levels.last {
            if let name = Self.next(level.stream) {
                try look(at: name, in: level)
                continue
            }
            levels.removeLast()
            do throws(KernelError) { try change(level.raw, level.path) } catch {
                // As with the files; but a volume that cannot be given at all is no volume for the group.
                if levels.isEmpty { throw error }
            }
        }
    }

    /// NUL-terminated bytes: containers need no valid UTF-8.
    private static func next(_ stream: OpaquePointer) -> [UInt8]? {
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) + [0] }
            if name != [46, 0], name != [46, 46, 0] { return name }
        }
        return nil
    }

    /// What cannot be changed, an immutable file for example, stays as it is and does not keep the pod from starting.
    private mutating func look(at name: [UInt8], in level: Level) throws(KernelError) {
        var status = stat()
        let found: Int32 = Self.withName(name) { fstatat(level.raw, $0, &status, AT_SYMLINK_NOFOLLOW) }
        guard found == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: try enter(name, in: level)
        case S_IFLNK:
            if status.st_gid != group {
                _ = Self.withName(name) { fchownat(level.raw, $0, uid_t.max, group, AT_SYMLINK_NOFOLLOW) }
            }
        default:
            if Self.isGiven(status, to: group) { return }
            guard let file = Self.open(name, O_PATH | O_NOFOLLOW, in: level.raw) else { return }
            try? change(file.raw, "")
        }
    }

    private mutating func enter(_ name: [UInt8], in level: Level) throws(KernelError) {
        guard let directory = Self.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, in: level.raw) else { return }
        let path = level.path + "/" + String(decoding: name.dropLast(), as: UTF8.self)
        guard levels.count < Self.maximumDepth else {
            throw KernelError(
                "give group \(group) directories more than \(Self.maximumDepth) levels deep below", levels[0].path,
                errno: .fileNameTooLong)
        }
        levels.append(try Level(directory, path))
    }

    /// The owner first: chown(2) may clear the setgid bit.
    private func change(_ raw: Int32, _ path: String) throws(KernelError) {
        var status = stat()
        try kernelCall("fstat", path) { fstat(raw, &status) }
        let wanted = Self.wantedMode(status)
        if Self.isGiven(status, to: group) { return }
        if status.st_gid != group {
            try kernelCall("fchownat", path) { fchownat(raw, "", uid_t.max, group, Int32(CLinux_AT_EMPTY_PATH)) }
        }
        // A link that came to the name after it was looked at has no mode of its own.
        if status.st_mode & S_IFMT == S_IFLNK { return }
        // By the descriptor's name in procfs: fchmod(2) takes none that was opened for its path only.
        try kernelCall("chmod", path) { chmod("/proc/self/fd/\(raw)", wanted) }
    }

    /// Nil for what is gone, or mounted over.
    private static func open(_ name: [UInt8], _ flags: Int32, in directory: Int32) -> OwnedDescriptor? {
        let how = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        // O_NOFOLLOW alone decides about a link at the end.
        let resolve = CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_XDEV | CLinux_RESOLVE_NO_MAGICLINKS
        let raw = withName(name) { CLinux_openat2(directory, $0, how, 0, resolve) }
        return raw < 0 ? nil : OwnedDescriptor(owning: raw)
    }

    private static func withName<Value>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Value) -> Value {
        name.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // Never empty: it ends with NUL.
                characters.baseAddress.map(body) ?? body("")
            }
        }
    }
}
