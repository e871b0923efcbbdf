/// The AppArmor profile of containers that name none: what a container needs is allowed as a whole, and the files of the kernel by
/// which it could reach beyond itself are taken out again. Behind namespaces, capabilities and seccomp it is one more wall, which
/// holds for root as well.
public enum AppArmorDefaultProfile {
    public static let name = "swiftlet-default"

    /// As apparmor_parser(8) reads it. No file is included, as not every host with a parser has them.
    public static var text: String {
        var lines = [
            "# Written by swiftlet at each start.", "profile \(name) flags=(attach_disconnected,mediate_deleted) {",
        ]
        lines += (allowed + denied).map { "  \($0)," }
        return (lines + ["}", ""]).joined(separator: "\n")
    }

    private static let allowed = [
        "file", "capability", "network", "unix", "umount",
        // The agent and its monitors have no profile, and stop containers by signals; containers of a pod may share processes.
        "signal (receive) peer=unconfined", "signal (send, receive) peer=\(name)",
        "ptrace (trace, read, tracedby, readby) peer=\(name)",
    ]

    private static var denied: [String] {
        // Mounts made by a container could be laid over what the other rules name.
        ["deny mount"]
            // Memory and keyboard of the whole machine, its firmware, its power meters (which tell of other pods' secrets), and
            // the security modules themselves.
            + [
                "/proc/kcore", "/proc/kmem", "/proc/mem", "/proc/sysrq-trigger", "/sys/firmware/**",
                "/sys/devices/virtual/powercap/**", "/sys/kernel/security/**", "/sys/kernel/debug/**",
            ].map { "deny \($0) rwklx" }
            // What is the kernel's own in /proc, beside the processes; of its settings only those of an IPC namespace may be written.
            + [
                "/proc/*", "/proc/{acpi,asound,bus,driver,dynamic_debug,fs,irq,scsi,sysvipc,tty}/**",
                "/proc/sys/[^k]**",
                "/proc/sys/k[^e]**", "/proc/sys/kernel/[^ms]**", "/proc/sys/kernel/m[^s]**",
                "/proc/sys/kernel/ms[^g]**",
                "/proc/sys/kernel/s[^eh]**", "/proc/sys/kernel/se[^m]**", "/proc/sys/kernel/sh[^m]**",
            ].map { "deny \($0) w" }
            // Of /sys nothing but cgroups, which have rights of their own.
            + [
                "/sys/[^f]*/**", "/sys/f[^s]*/**", "/sys/fs/[^c]*/**", "/sys/fs/c[^g]*/**",
            ].map { "deny \($0) wklx" }
    }
}
