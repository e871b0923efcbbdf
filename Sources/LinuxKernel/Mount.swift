import CLinux
import Glibc
import SystemPackage

/// mount(2) and umount2(2) on the agent's own paths, and what is mounted now.
public enum Mount {
    /// Mounts a file system of `type`; `options` is its comma-separated data.
    public static func mount(
        type: String, source: String, target: String, flags: UInt = 0, options: String = ""
    ) throws(KernelError) {
        try kernelCall("mount \(type) on", target) { Glibc.mount(source, target, type, flags, options) }
    }

    /// Binds `source` over `target`; with `recursive` what is mounted below comes along.
    public static func bind(_ source: String, _ target: String, recursive: Bool = false) throws(KernelError) {
        let flags = UInt(MS_BIND) | (recursive ? UInt(MS_REC) : 0)
        try kernelCall("bind mount \(source) on", target) { Glibc.mount(source, target, nil, flags, nil) }
    }

    /// Unmounts without following a final symbolic link. `false` when nothing is mounted there.
    /// With `detach` the mount disappears at once and the kernel tears it down when its last user is gone (MNT_DETACH).
    @discardableResult
    public static func unmount(_ target: String, detach: Bool = true) throws(KernelError) -> Bool {
        let flags = Int32(UMOUNT_NOFOLLOW) | (detach ? Int32(MNT_DETACH) : 0)
        if umount2(target, flags) == 0 { return true }
        switch Errno.current {
        case .invalidArgument, .noSuchFileOrDirectory: return false
        default: throw KernelError.last("umount", target)
        }
    }

    /// Mount points at or below `directory`, deepest first: the order to unmount them in (proc_pid_mountinfo(5), field 5).
    public static func points(below directory: String) throws(KernelError) -> [String] {
        try all(below: directory).map(\.point).reversed()
    }

    /// What is mounted somewhere.
    public struct Entry: Hashable, Sendable {
        public var point: String
        /// The kernel's name of the kind of file system: `ext4`, `nfs4`, `fuse.sshfs`.
        public var type: String

        public init(point: String, type: String) {
            self.point = point
            self.type = type
        }
    }

    /// What is mounted at or below `directory`, in the order of mounting.
    public static func all(below directory: String) throws(KernelError) -> [Entry] {
        try entries(in: FileSystem.readText("/proc/self/mountinfo", limit: 64 << 20), below: directory)
    }

    /// Pure. proc_pid_mountinfo(5): a lone hyphen ends the optional fields, and the type follows it.
    static func entries(in table: String, below directory: String) -> [Entry] {
        var entries: [Entry] = []
        // By bytes: a host with many pods has a long table.
        for line in table.utf8.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count > 5 else { continue }
            let point = unescape(Substring(fields[4]))
            guard point == directory || point.hasPrefix(directory + "/") else { continue }
            let rest = fields[5].split(separator: UInt8(ascii: " "))
            let hyphen = rest.firstIndex { $0.elementsEqual([UInt8(ascii: "-")]) }
            let type = hyphen.flatMap { $0 + 1 < rest.endIndex ? String(Substring(rest[$0 + 1])) : nil }
            entries.append(Entry(point: point, type: type ?? ""))
        }
        return entries
    }

    /// Undoes the octal escapes of mountinfo (space, tab, newline, backslash).
    static func unescape(_ field: Substring) -> String {
        guard field.contains("\\") else { return String(field) }
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let first = rest.popFirst() {
            if first == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(first)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
