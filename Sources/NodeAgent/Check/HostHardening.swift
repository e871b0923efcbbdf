import Glibc
import LinuxKernel

/// What of a host protects pods from each other and the host from its pods, as the kernel tells it. `nil` is a setting the
/// kernel does not have or does not show.
public struct HostHardening: Hashable, Sendable {
    /// Names of the security modules in use, in their order.
    public var securityModules: [String]?
    public var hasSeccomp = false
    public var maximumUserNamespaces: UInt64?
    /// (major, minor)
    public var kernel: [Int] = []
    /// What the processor is vulnerable to and the kernel does nothing about.
    public var openVulnerabilities: [String] = []
    public var commandLine = ""
    public var swapBytes: UInt64 = 0
    /// Soft limit of open files of this process.
    public var openFiles: UInt64?
    /// By name below /proc/sys, with dots.
    public var sysctls: [String: Int64] = [:]

    public init() {}

    static let sysctlNames = [
        "kernel.unprivileged_bpf_disabled", "kernel.dmesg_restrict", "kernel.kptr_restrict", "kernel.pid_max",
        "kernel.threads-max", "vm.panic_on_oom", "fs.inotify.max_user_instances", "fs.inotify.max_user_watches",
        "fs.protected_symlinks", "fs.protected_hardlinks", "fs.suid_dumpable",
    ]

    /// Asks the kernel.
    public static func read() -> HostHardening {
        var host = HostHardening()
        host.securityModules = text("/sys/kernel/security/lsm").map { $0.split(separator: ",").map(String.init) }
        host.hasSeccomp = FileSystem.exists("/proc/sys/kernel/seccomp/actions_avail")
        host.maximumUserNamespaces =
            FileSystem.exists("/proc/self/ns/user")
            ? text("/proc/sys/user/max_user_namespaces").flatMap { UInt64($0) } : 0
        host.kernel = (text("/proc/sys/kernel/osrelease") ?? "").split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let directory = "/sys/devices/system/cpu/vulnerabilities"
        host.openVulnerabilities = ((try? FileSystem.list(directory)) ?? []).sorted().filter { name in
            text("\(directory)/\(name)")?.hasPrefix("Vulnerable") == true
        }
        host.commandLine = text("/proc/cmdline") ?? ""
        host.swapBytes = (try? ProcFS.memory())?.swapTotalBytes ?? 0
        host.openFiles = OpenFileLimit.highest.map { UInt64($0) }
        for name in sysctlNames {
            host.sysctls[name] = text("/proc/sys/" + name.replacing(".", with: "/")).flatMap { Int64($0) }
        }
        return host
    }

    private static func text(_ path: String) -> String? {
        (try? FileSystem.readText(path, limit: 64 << 10)).map { text in
            String(text.prefix { $0 != "\n" })
        }
    }

    // MARK: Judging

    /// One finding for each setting that matters. Pure.
    public var findings: [HostFinding] {
        [systemCallFilter, modules, userNamespaces, mitigations, swap, files] + kernelSettings + limits
    }

    private var systemCallFilter: HostFinding {
        hasSeccomp
            ? HostFinding(.ok, "seccomp", "system calls of containers can be filtered", weight: 8)
            : HostFinding(
                .failure, "seccomp", "the kernel cannot filter system calls: pods are refused or unprotected",
                fix: "run a kernel with CONFIG_SECCOMP_FILTER", weight: 8)
    }

    private var modules: HostFinding {
        guard let securityModules else {
            return HostFinding(
                .warning, "security modules", "unknown: securityfs is not mounted",
                fix: "mount -t securityfs securityfs /sys/kernel/security")
        }
        let wanted = securityModules.filter { ["apparmor", "selinux", "landlock"].contains($0) }
        return wanted.isEmpty
            ? HostFinding(
                .warning, "security modules", "neither AppArmor nor SELinux stands behind namespaces and capabilities",
                fix: "boot with lsm=landlock,lockdown,yama,apparmor,bpf", weight: 4)
            : HostFinding(.ok, "security modules", wanted.joined(separator: ", "), weight: 4)
    }

    private var userNamespaces: HostFinding {
        guard let most = maximumUserNamespaces, most > 0 else {
            return HostFinding(
                .warning, "user namespaces", "off: root in a container is root of the host, if it gets out",
                fix: "sysctl -w user.max_user_namespaces=63494, on a kernel with CONFIG_USER_NS", weight: 5)
        }
        // Overlay mounts take an id mapping since 5.19.
        guard kernel.count == 2, (kernel[0], kernel[1]) >= (5, 19) else {
            return HostFinding(
                .warning, "user namespaces",
                "no overlayfs with mapped ids before Linux 5.19: hostUsers: false is refused",
                fix: "run Linux 6.1 or later", weight: 5)
        }
        return HostFinding(.ok, "user namespaces", "available to pods with hostUsers: false", weight: 5)
    }

    private var mitigations: HostFinding {
        let words = commandLine.split(separator: " ")
        if words.contains("mitigations=off") {
            return HostFinding(
                .warning, "CPU mitigations", "switched off: pods can read each other's memory",
                fix: "boot without mitigations=off", weight: 5)
        }
        return openVulnerabilities.isEmpty
            ? HostFinding(.ok, "CPU mitigations", "none missing", weight: 5)
            : HostFinding(
                .warning, "CPU mitigations", "missing for \(openVulnerabilities.joined(separator: ", "))",
                fix: "update kernel and microcode; on a virtual machine those of its host too", weight: 5)
    }

    private var swap: HostFinding {
        swapBytes == 0
            ? HostFinding(.ok, "swap", "none", weight: 2)
            : HostFinding(
                .warning, "swap", "\(swapBytes >> 20) MiB: secrets of pods may reach the disk, and memory limits blur",
                fix: "swapoff -a, or encrypt the swap", weight: 2)
    }

    private var files: HostFinding {
        guard let openFiles else { return HostFinding(.ok, "open files", "no limit known", weight: 2) }
        return openFiles >= 65536
            ? HostFinding(.ok, "open files", "\(openFiles) for this process", weight: 2)
            : HostFinding(
                .warning, "open files", "only \(openFiles) for this process: too few for some hundred pods",
                fix: "ulimit -n 1048576, or LimitNOFILE=1048576 in the service", weight: 2)
    }

    private var kernelSettings: [HostFinding] {
        [
            atLeast(
                "kernel.unprivileged_bpf_disabled", 1, "programs without privileges can load BPF into the kernel",
                set: 1, weight: 3),
            atLeast(
                "kernel.dmesg_restrict", 1, "the kernel's log, with addresses, is open to every user", set: 1, weight: 1
            ),
            atLeast("kernel.kptr_restrict", 1, "kernel addresses are shown to every user", set: 1, weight: 1),
            atLeast(
                "fs.protected_symlinks", 1, "symbolic links in shared directories are followed blindly", set: 1,
                weight: 2),
            atLeast("fs.protected_hardlinks", 1, "files of others can be linked", set: 1, weight: 1),
            exactly("fs.suid_dumpable", 0, "programs with raised rights leave readable core dumps", weight: 1),
            exactly("vm.panic_on_oom", 0, "a container out of memory takes the host down", weight: 4),
        ].compactMap(\.self)
    }

    private var limits: [HostFinding] {
        [
            atLeast("kernel.pid_max", 65536, "few processes for all pods together", set: 4_194_304, weight: 2),
            atLeast("kernel.threads-max", 32768, "few threads for all pods together", set: 1_048_576, weight: 2),
            atLeast(
                "fs.inotify.max_user_instances", 512, "pods soon run out of inotify instances", set: 8192, weight: 2),
            atLeast(
                "fs.inotify.max_user_watches", 65536, "pods soon run out of inotify watches", set: 1_048_576, weight: 1),
        ].compactMap(\.self)
    }

    private func atLeast(_ name: String, _ least: Int64, _ problem: String, set: Int64, weight: Int) -> HostFinding? {
        guard let value = sysctls[name] else { return nil }
        return value >= least
            ? HostFinding(.ok, name, "\(value)", weight: weight)
            : HostFinding(.warning, name, "\(value): \(problem)", fix: "sysctl -w \(name)=\(set)", weight: weight)
    }

    private func exactly(_ name: String, _ wanted: Int64, _ problem: String, weight: Int) -> HostFinding? {
        guard let value = sysctls[name] else { return nil }
        return value == wanted
            ? HostFinding(.ok, name, "\(value)", weight: weight)
            : HostFinding(.warning, name, "\(value): \(problem)", fix: "sysctl -w \(name)=\(wanted)", weight: weight)
    }
}
