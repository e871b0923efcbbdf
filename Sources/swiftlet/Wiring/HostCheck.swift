import CLinux
import ContainerRuntime
import Glibc
import LinuxKernel
import NodeAgent

/// Looks at the host for what pods need: kernel, cgroups, namespaces, file systems, rights. Each finding comes with its fix.
enum HostCheck {
    static func run(_ cgroups: CgroupHierarchies, networkShortfalls: [String] = []) -> [HostFinding] {
        var findings = [kernel(), root(), overlay(), namespaces(), userNamespaces()]
        findings += self.cgroups(cgroups)
        findings.append(pressure())
        findings.append(resourceRights())
        findings += HostHardening.read().findings
        findings += appArmor()
        findings += networkShortfalls.map { HostFinding(.warning, "network", $0, fix: "enable it in the kernel") }
        return findings
    }

    /// What a node with this policy file would say of it.
    static func policy(_ source: NodePolicySource) -> HostFinding {
        if let problem = source.problem {
            return HostFinding(
                .warning, "policy", "\(problem); the last good version is in force", fix: "correct the file")
        }
        let count = source.policy.rules.count
        let text = count == 0 ? "the built-in rules" : "\(source.path) with \(count) rules before the built-in ones"
        return HostFinding(.ok, "policy", text)
    }

    /// Asked only of a node that has such a setting.
    static func ioWeights(_ cgroups: CgroupManager) -> HostFinding {
        IOWeightSupport.read(cgroups).problem.map { HostFinding(.warning, "disk weights", $0.text, fix: $0.fix) }
            ?? HostFinding(.ok, "disk weights", "disks share their time by them")
    }

    private static var kernelRelease: String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func kernel() -> HostFinding {
        let release = kernelRelease
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isEnough = numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 14)
        return isEnough
            ? HostFinding(.ok, "kernel", "Linux \(release)")
            : HostFinding(
                .failure, "kernel",
                "Linux \(release) lacks calls that containers are made with (mount_setattr, cgroup.kill)",
                fix: "run Linux 5.14 or later")
    }

    private static func root() -> HostFinding {
        geteuid() == 0
            ? HostFinding(.ok, "rights", "running as root")
            : HostFinding(.failure, "rights", "not root: containers cannot be made", fix: "run swiftlet as root")
    }

    /// Nothing where the kernel has none: what a host without any security module lacks is told elsewhere.
    private static func appArmor() -> [HostFinding] {
        guard AppArmorHost.isEnabledHere else { return [] }
        return [
            AppArmorHost.hasParser
                ? HostFinding(.ok, "AppArmor", "containers run under a profile")
                : HostFinding(
                    .warning, "AppArmor", "no profile for containers that name none: apparmor_parser is not installed",
                    fix: "apt-get install apparmor, and start swiftlet anew")
        ]
    }

    private static func overlay() -> HostFinding {
        let known = (try? FileSystem.readText("/proc/filesystems")) ?? ""
        if known.contains("\toverlay\n") { return HostFinding(.ok, "overlayfs", "available") }
        // The first mount of one loads it.
        let modules = (try? FileSystem.readText("/lib/modules/\(kernelRelease)/modules.dep", limit: 16 << 20)) ?? ""
        return modules.contains("/overlay.ko")
            ? HostFinding(.ok, "overlayfs", "available as a module")
            : HostFinding(
                .failure, "overlayfs", "the kernel neither has it nor a module of it",
                fix: "run a kernel with CONFIG_OVERLAY_FS")
    }

    private static func namespaces() -> HostFinding {
        let missing = ["mnt", "pid", "ipc", "uts", "net", "cgroup"].filter { !FileSystem.exists("/proc/self/ns/" + $0) }
        return missing.isEmpty
            ? HostFinding(.ok, "namespaces", "mnt, pid, ipc, uts, net and cgroup")
            : HostFinding(
                .failure, "namespaces", "missing: \(missing.joined(separator: ", "))",
                fix: "run a kernel with these namespaces configured")
    }

    private static func userNamespaces() -> HostFinding {
        guard let problem = UserNamespaceSupport.problemOfKernel() else {
            return HostFinding(.ok, "user namespaces", "pods can have their own (hostUsers: false)")
        }
        let parts = problem.split(separator: ": ", maxSplits: 1)
        return HostFinding(
            .warning, "user namespaces", "hostUsers: false cannot be kept: \(parts[0])",
            fix: parts.count > 1 ? String(parts[1]) : "")
    }

    private static func cgroups(_ hierarchies: CgroupHierarchies) -> [HostFinding] {
        let capabilities = CgroupManager(hierarchies: hierarchies, root: "/").capabilities
        guard capabilities.isUsable else {
            return [HostFinding(.failure, "cgroups", "none are mounted", fix: "mount -t cgroup2 none /sys/fs/cgroup")]
        }
        let names = capabilities.available.map(\.rawValue).sorted().joined(separator: ", ")
        let summary = HostFinding(.ok, "cgroups", "\(capabilities.version.rawValue) with \(names)")
        return [summary] + capabilities.findings.map { HostFinding(.warning, "cgroups", $0.problem, fix: $0.fix) }
    }

    private static func pressure() -> HostFinding {
        FileSystem.exists("/proc/pressure/memory")
            ? HostFinding(.ok, "pressure", "pressure stall information is on")
            : HostFinding(
                .warning, "pressure", "no pressure stall information: usage shows no stalls", fix: "boot with psi=1")
    }

    private static func resourceRights() -> HostFinding {
        ResourceLimit.mayBeRaisedHere
            ? HostFinding(.ok, "oom scores", "may be lowered")
            : HostFinding(
                .warning, "oom scores",
                "without CAP_SYS_RESOURCE the agent and guaranteed pods cannot be protected from the OOM killer",
                fix: "give swiftlet CAP_SYS_RESOURCE")
    }
}
