import CLinux
import Glibc
import LinuxKernel
import SystemPackage

extension JailAttempt {
    private static let intoHost = "/../../../../"

    /// Everything, tried by the calling process. What works leaves its mark: not to be called by one that is free.
    static func all() -> [JailAttempt] {
        files() + sockets() + processes() + mounts() + kernel()
    }

    private static func attempt(_ name: String, _ call: () -> Int) -> JailAttempt {
        call() < 0 ? JailAttempt(name: name, errno: Errno.current.rawValue) : JailAttempt(name: name, errno: 0)
    }

    private static func files() -> [JailAttempt] {
        let device = "jailed-device"
        let made = CLinux_mknodat(AT_FDCWD, device, S_IFCHR | 0o666, 1, 3)
        defer { unlink(device) }
        return [
            attempt("read a file of the host") { Int(open(intoHost + "etc/passwd", O_RDONLY)) },
            attempt("write to a directory of the host") {
                Int(open(intoHost + "tmp/escaped", O_WRONLY | O_CREAT, 0o600))
            },
            attempt("read a file below /proc") { Int(open(intoHost + "proc/self/environ", O_RDONLY)) },
            attempt("open a device") { made < 0 ? -1 : Int(open(device, O_RDWR)) },
            attempt("mark a directory for overlayfs") {
                let root = open("/", O_RDONLY | O_DIRECTORY)
                defer { close(root) }
                return Int(CLinux_fsetxattr(root, "trusted.overlay.redirect", "/", 1))
            },
            attempt("open a file by its handle") { call(SYS_open_by_handle_at) },
        ]
    }

    private static func sockets() -> [JailAttempt] {
        [
            ("an Internet socket", AF_INET), ("a local socket", AF_UNIX), ("a netlink socket", AF_NETLINK),
            ("a socket of the kernel's cryptography", 38),
        ].map { (name, family) in
            attempt("make \(name)") { Int(socket(family, Int32(SOCK_DGRAM.rawValue), 0)) }
        }
    }

    private static func processes() -> [JailAttempt] {
        [
            attempt("run a program") { Int(CLinux_try_execve("/proc/self/exe")) },
            attempt("make a process") { Int(CLinux_try_fork()) },
            attempt("trace a process") { call(SYS_ptrace, 16, 1) },
            attempt("write to a process's memory") { call(SYS_process_vm_writev, 1) },
            attempt("send a signal") { call(SYS_kill, UInt(bitPattern: -1), 0) },
            attempt("map memory that can be run") { call(SYS_mprotect, 0, 4096, 7) },
        ]
    }

    private static func mounts() -> [JailAttempt] {
        [
            attempt("mount") { Int(mount("none", "/", "tmpfs", 0, nil)) },
            attempt("unmount") { Int(umount2("/", Int32(MNT_DETACH))) },
            attempt("copy a mount") { Int(CLinux_open_tree(AT_FDCWD, "/", CLinux_OPEN_TREE_CLONE)) },
            attempt("change its root") { Int(chroot("/")) },
            attempt("change everybody's root") { Int(CLinux_pivot_root(".", ".")) },
            attempt("make a namespace") { Int(CLinux_unshare(Int32(CLONE_NEWUSER))) },
            attempt("enter a namespace") { Int(CLinux_setns(0, 0)) },
        ]
    }

    private static func kernel() -> [JailAttempt] {
        [
            attempt("load a BPF program") { call(SYS_bpf) },
            attempt("set up an io_uring") { call(SYS_io_uring_setup, 1) },
            attempt("use a keyring") { call(SYS_keyctl) },
            attempt("load a kernel module") { call(SYS_init_module) },
            attempt("watch performance") { call(SYS_perf_event_open) },
            attempt("handle page faults") { call(SYS_userfaultfd) },
            attempt("restart the machine") { call(SYS_reboot) },
            attempt("control a device") { call(SYS_ioctl, 0, 0x5401) },
        ]
    }

    private static func call(_ number: some BinaryInteger, _ a: UInt = 0, _ b: UInt = 0, _ c: UInt = 0) -> Int {
        Int(CLinux_call(Int(number), a, b, c, 0, 0))
    }
}
