import Glibc

/// The system calls of a process that unpacks an image's layer: what it takes to read a socket, to make files in the directory that is
/// its root, and to have memory. Everything else fails with EPERM.
public enum UnpackingFilter {
    /// An array of `struct sock_filter`.
    public static func program() throws(RuntimeError) -> [UInt8] {
        do throws(SeccompProfileError) {
            return try SeccompCompiler.compile(profile).bytes
        } catch { throw RuntimeError(.kernel, "seccomp profile of image unpacking: \(error)") }
    }

    private static let files = [
        "close", "dup", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl", "fgetxattr",
        "fsetxattr",
        "fstat", "ftruncate", "getcwd", "getdents64", "linkat", "lseek", "mkdirat", "mknodat", "newfstatat", "openat",
        "openat2", "pread64", "pwrite64", "read", "readlinkat", "renameat2", "statx", "symlinkat", "unlinkat",
        "utimensat",
    ]

    /// Those that libc makes of the functions above where the machine has them.
    private static let olderFiles = [
        "chmod", "fstatat64", "lstat", "mkdir", "mknod", "open", "readlink", "stat", "unlink",
    ]

    /// The agent's socket: no other can be made.
    private static let socket = ["recvfrom", "sendto", "shutdown", "write"]

    private static let process = [
        "brk", "clock_getres", "clock_gettime", "exit", "exit_group", "futex", "getpid", "getrandom", "getrusage",
        "gettid",
        "gettimeofday", "madvise", "mremap", "munmap", "restart_syscall", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn",
        "sched_yield", "tgkill",
    ]

    private static var profile: SeccompProfile {
        let execute = UInt64(PROT_EXEC)
        return SeccompProfile(
            defaultAction: .error(UInt16(EPERM)), architectures: [],
            rules: [
                SeccompProfile.Rule(names: files + olderFiles + socket + process, action: .allow),
                // Memory never becomes code.
                SeccompProfile.Rule(
                    names: ["mmap", "mprotect"], action: .allow,
                    conditions: [SeccompCondition(2, .masked(mask: execute, value: 0))]),
            ])
    }
}
