import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// tmpfs mounts below the pods' directories: content that must never reach a disk.
enum MemoryFileSystem {
    /// TMPFS_MAGIC and HUGETLBFS_MAGIC (statfs(2)).
    private static let magic = 0x0102_1994
    private static let hugePagesMagic = 0x9584_58f6

    /// Mounts a tmpfs at `path` unless one is there already: mode, size and owner are part of the one mount(2), so that
    /// a mount that exists is complete. The directory and its parents are made.
    ///
    /// - Parameter sizeBytes: nil for the kernel's own limit.
    static func ensure(
        at path: String, sizeBytes: Int64?, mode: UInt32, userID: UInt32 = 0, groupID: UInt32?, flags: UInt = 0
    ) throws(KernelError) {
        try FileSystem.makeDirectories(path, mode: 0o750)
        if try isMounted(at: path) { return }
        var options = "mode=0" + String(mode, radix: 8)
        if let sizeBytes { options += ",size=\(sizeBytes)" }
        if userID != 0 { options += ",uid=\(userID)" }
        if let groupID { options += ",gid=\(groupID)" }
        do {
            try Mount.mount(type: "tmpfs", source: "tmpfs", target: path, flags: flags, options: options + ",noswap")
        } catch let error where error.errno == .invalidArgument {
            // Linux before 6.4 has no noswap.
            try Mount.mount(type: "tmpfs", source: "tmpfs", target: path, flags: flags, options: options)
        }
    }

    /// The same in pages of `pageSizeBytes`: what is in it counts against the pod's huge pages.
    static func ensureHugePages(
        at path: String, pageSizeBytes: Int64, mode: UInt32, userID: UInt32 = 0, groupID: UInt32?
    ) throws(KernelError) {
        try FileSystem.makeDirectories(path, mode: 0o750)
        // The mount takes no setgid bit: it comes after, also after a run that was killed in between.
        let first = mode & 0o1777
        if try !isMounted(at: path, magic: hugePagesMagic) {
            var options = "mode=0" + String(first, radix: 8) + ",pagesize=\(pageSizeBytes)"
            if userID != 0 { options += ",uid=\(userID)" }
            if let groupID { options += ",gid=\(groupID)" }
            try Mount.mount(type: "hugetlbfs", source: "hugetlbfs", target: path, flags: 0, options: options)
        }
        var status = stat()
        try kernelCall("lstat", path) { lstat(path, &status) }
        if first != mode, status.st_mode & 0o7777 == first { try kernelCall("chmod", path) { chmod(path, mode) } }
    }

    /// Whether a tmpfs of its own, or what else `magic` stands for, is mounted at `path`, whatever the file system around it is.
    static func isMounted(at path: String, magic: Int = magic) throws(KernelError) -> Bool {
        var own = stat()
        var parent = stat()
        let parentPath = path.splitAtLastSlash.parent
        try kernelCall("lstat", path) { lstat(path, &own) }
        try kernelCall("lstat", parentPath) { lstat(parentPath, &parent) }
        guard own.st_dev != parent.st_dev else { return false }
        var information = statfs()
        try kernelCall("statfs", path) { statfs(path, &information) }
        return Int(information.f_type) == magic
    }
}
