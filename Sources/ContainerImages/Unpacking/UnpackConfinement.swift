import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// How a process that reads an image's bytes is confined: its root is the layer's directory, on a mount without devices, programs and
/// setuid; it has no network, no other process, six capabilities, and few system calls.
struct UnpackConfinement {
    /// An array of `struct sock_filter`.
    let filter: [UInt8]
    /// What of ``needed`` this host gives.
    let capabilities: UInt64

    /// CHOWN, DAC_OVERRIDE, FOWNER and FSETID for owners and modes as the archive has them, MKNOD for its device nodes, SETFCAP for its
    /// file capabilities. Not SYS_ADMIN: overlayfs's own marks are set by the agent.
    private static let needed: UInt64 = [0, 1, 3, 4, 27, 31].reduce(0) { $0 | 1 << $1 }
    /// For the launcher: to make namespaces and attach mounts in them, and to change its root.
    private static let launching: UInt64 = 1 << 21 | 1 << 18
    /// Of memory that is written: a zstd window of 128 MiB, and what the unpacker may remember.
    private static let memoryBytes: UInt64 = 512 << 20
    private static let openFiles: UInt64 = 128

    // MARK: The launcher

    /// Leaves everything of the host that a child would have to leave; gives the capabilities that its children keep.
    static func leaveHost() throws(KernelError) -> UInt64 {
        // A second thread would keep what this one gives up.
        let threads = try FileSystem.list("/proc/self/task").count
        guard threads == 1 else {
            throw KernelError("confine a process of \(threads) threads", errno: .invalidArgument)
        }
        let held = try heldCapabilities()
        // The first to go when memory is short: a layer can be fetched again.
        try? FileSystem.writeKernelFile("/proc/self/oom_score_adj", "500")
        CLinux_load_character_sets()
        try kernelCall("unshare") {
            CLinux_unshare(
                Int32(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) | Int32(bitPattern: 0x0200_0000))
        }
        try leaveMounts()
        umask(0o022)
        CLinux_ignore_children()
        try kernelCall("set no_new_privs") { CLinux_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
        let kept = held & needed
        let own = kept | (held & launching)
        if held & 1 << 8 != 0 {
            for capability in UInt(0)..<64 where own & 1 << UInt64(capability) == 0 {
                // EINVAL: of a later kernel than this one.
                _ = CLinux_prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
            }
        }
        try kernelCall("capset") { CLinux_capset(own, own, 0) }
        return kept
    }

    private static func heldCapabilities() throws(KernelError) -> UInt64 {
        let status = try FileSystem.readText("/proc/self/status", limit: 1 << 16)
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapPrm:") }
        return line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
    }

    /// From now on the root is an empty directory, and nothing of the host is mounted anywhere.
    private static func leaveMounts() throws(KernelError) {
        try kernelCall("mount", "/") { mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil) }
        let context = OwnedDescriptor(
            owning: try kernelCall("fsopen", "tmpfs") { CLinux_fsopen("tmpfs", CLinux_FSOPEN_CLOEXEC) })
        try kernelCall("fsconfig", "tmpfs") {
            CLinux_fsconfig(context.raw, CLinux_FSCONFIG_SET_STRING, "size", "4k", 0)
        }
        try kernelCall("fsconfig", "tmpfs") {
            CLinux_fsconfig(context.raw, CLinux_FSCONFIG_CMD_CREATE, nil, nil, 0)
        }
        let attributes = UInt32(
            CLinux_MOUNT_ATTR_RDONLY | CLinux_MOUNT_ATTR_NOSUID | CLinux_MOUNT_ATTR_NODEV | CLinux_MOUNT_ATTR_NOEXEC)
        let empty = OwnedDescriptor(
            owning: try kernelCall("fsmount", "tmpfs") {
                CLinux_fsmount(context.raw, CLinux_FSMOUNT_CLOEXEC, attributes)
            })
        try kernelCall("move_mount", "/") {
            CLinux_move_mount(empty.raw, "", AT_FDCWD, "/", CLinux_MOVE_MOUNT_F_EMPTY_PATH)
        }
        try kernelCall("fchdir") { fchdir(empty.raw) }
        try kernelCall("pivot_root") { CLinux_pivot_root(".", ".") }
        try kernelCall("umount", "/") { umount2(".", Int32(MNT_DETACH)) }
        try kernelCall("chdir", "/") { chdir("/") }
    }

    // MARK: A child

    /// Makes a mount that is attached nowhere yet this process's root, and gives up the rest. After it only `socket` and the standard
    /// descriptors are open.
    func enter(tree: Int32, limits: UnpackLimits) throws(KernelError) {
        try kernelCall("prctl", "PR_SET_PDEATHSIG") { CLinux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0) }
        try kernelCall("move_mount", "/") {
            CLinux_move_mount(tree, "", AT_FDCWD, "/", CLinux_MOVE_MOUNT_F_EMPTY_PATH)
        }
        try kernelCall("fchdir") { fchdir(tree) }
        try kernelCall("chroot") { chroot(".") }
        close(tree)
        try limit(limits)
        let kept = capabilities
        try kernelCall("capset") { CLinux_capset(kept, kept, 0) }
        let filter = filter
        try kernelCall("seccomp") { CLinux_seccomp_filter(filter, UInt16(clamping: filter.count / 8), 0) }
    }

    private func limit(_ limits: UnpackLimits) throws(KernelError) {
        let processor = UInt64(clamping: limits.processorSeconds)
        let bounds: [(String, __rlimit_resource, UInt64)] = [
            // The unpacker itself says so before.
            ("RLIMIT_CPU", RLIMIT_CPU, processor + min(processor, 60) + 1),
            ("RLIMIT_FSIZE", RLIMIT_FSIZE, UInt64(clamping: limits.layerBytes)),
            ("RLIMIT_DATA", RLIMIT_DATA, Self.memoryBytes),
            ("RLIMIT_NOFILE", RLIMIT_NOFILE, Self.openFiles),
            ("RLIMIT_CORE", RLIMIT_CORE, 0),
        ]
        for (name, resource, most) in bounds {
            var current = rlimit()
            try kernelCall("getrlimit", name) { getrlimit(__rlimit_resource_t(resource.rawValue), &current) }
            let bound = min(most, UInt64(current.rlim_max))
            try kernelCall("setrlimit", name) { CLinux_prlimit(0, Int32(resource.rawValue), bound, bound) }
        }
    }
}
