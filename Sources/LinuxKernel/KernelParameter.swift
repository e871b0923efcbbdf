import CLinux
import Glibc
import SystemPackage

/// Kernel parameters, the files below /proc/sys (sysctl(8)).
public enum KernelParameter {
    /// PROC_SUPER_MAGIC (statfs(2)).
    private static let procMagic = 0x9fa0

    /// Writes a parameter of the calling thread's namespaces. The file is reached from /proc without any link or other mount on
    /// the way, and is of procfs for certain: nothing that somebody mounted or linked there gets the value.
    ///
    /// - Parameters:
    ///   - name: parts joined by dots, `net.ipv4.tcp_syncookies`; a slash in a part stands for a dot (`eth0/100`).
    ///   - value: passed as it is, in one write(2).
    /// - Throws: ENOENT for a parameter that this kernel, or a namespace of this kind, does not have; EINVAL for a value that
    ///   the kernel does not take, or a name without parts.
    public static func write(_ name: String, _ value: String) throws(KernelError) {
        let operation = "write kernel parameter"
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { part in
            String(part.map { $0 == "/" ? "." : $0 })
        }
        guard parts.allSatisfy({ !["", ".", ".."].contains($0) && !$0.utf8.contains(0) }) else {
            throw KernelError(operation, name, errno: .invalidArgument)
        }
        let directory = try OwnedDescriptor.open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW)
        try requireProc(directory, name)
        let resolve =
            CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_SYMLINKS | CLinux_RESOLVE_NO_MAGICLINKS | CLinux_RESOLVE_NO_XDEV
        let path = (["sys"] + parts).joined(separator: "/")
        let flags = UInt64(UInt32(bitPattern: O_WRONLY | O_CLOEXEC))
        let file = OwnedDescriptor(
            owning: try kernelCall(operation, name) { CLinux_openat2(directory.raw, path, flags, 0, resolve) })
        try requireProc(file, name)
        let bytes = Array(value.utf8)
        try kernelCall(operation, name) { Glibc.write(file.raw, bytes, bytes.count) }
    }

    private static func requireProc(_ file: borrowing OwnedDescriptor, _ name: String) throws(KernelError) {
        var information = statfs()
        try kernelCall("fstatfs", name) { fstatfs(file.raw, &information) }
        guard Int(information.f_type) == procMagic else {
            throw KernelError("write kernel parameter", name, errno: .permissionDenied)
        }
    }
}
