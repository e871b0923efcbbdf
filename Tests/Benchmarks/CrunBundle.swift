import CSeccomp
import ContainerRuntime
import Glibc
import KubernetesAPI

/// The OCI configuration of a container like ours: namespaces, mounts, masked paths, capabilities, filter, limits.
enum CrunBundle {
    /// - Parameter cgroup: absolute, the same in every hierarchy.
    static func config(arguments: [String], cgroup: String) -> JSONValue {
        .object([
            "ociVersion": .string("1.0.0"),
            "root": .object(["path": .string("rootfs")]),
            "hostname": .string(ContainerLimits.hostname),
            "process": process(arguments),
            "mounts": .array(mounts),
            "linux": .object([
                "cgroupsPath": .string(cgroup),
                "namespaces": .array(
                    ["pid", "network", "ipc", "uts", "mount", "cgroup"].map { .object(["type": .string($0)]) }),
                "resources": resources,
                "maskedPaths": strings(LaunchPlanner.maskedPaths),
                "readonlyPaths": strings(LaunchPlanner.readOnlyPaths),
                "seccomp": seccomp,
            ]),
        ])
    }

    private static func strings(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }

    private static func process(_ arguments: [String]) -> JSONValue {
        let capabilities = strings(
            Capability.allCases.filter(CapabilitySet.containerDefault.contains).map { "CAP_\($0)" })
        return .object([
            "args": strings(arguments), "env": strings(ContainerLimits.environment), "cwd": .string("/"),
            "user": .object(["uid": .integer(0), "gid": .integer(0)]),
            "oomScoreAdj": .integer(0), "noNewPrivileges": .bool(false),
            "capabilities": .object([
                "bounding": capabilities, "effective": capabilities, "permitted": capabilities,
            ]),
        ])
    }

    private static var resources: JSONValue {
        .object([
            "cpu": .object([
                "shares": .integer(Int64(ContainerLimits.cpuShares)),
                "quota": .integer(ContainerLimits.cpuQuotaMicroseconds), "period": .integer(100_000),
            ]),
            "memory": .object([
                "limit": .integer(ContainerLimits.memoryBytes), "swap": .integer(ContainerLimits.memoryBytes),
            ]),
            "pids": .object(["limit": .integer(ContainerLimits.processes)]),
        ])
    }

    private static var mounts: [JSONValue] {
        let inert = ["nosuid", "noexec", "nodev"]
        return [
            mount("/proc", "proc", inert),
            mount("/dev", "tmpfs", ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/dev/mqueue", "mqueue", inert),
            mount("/dev/shm", "tmpfs", inert + ["mode=1777", "size=65536k"]),
            mount("/sys", "sysfs", inert + ["ro"]),
            mount("/sys/fs/cgroup", "cgroup", inert + ["ro"]),
        ]
    }

    private static func mount(_ target: String, _ type: String, _ options: [String]) -> JSONValue {
        .object([
            "destination": .string(target), "type": .string(type), "source": .string(type),
            "options": strings(options),
        ])
    }

    /// An allow list of about the size of ours. What ours ties to arguments (clone, socket, personality) is allowed whole here,
    /// in the peer's favour.
    private static var seccomp: JSONValue {
        .object([
            "defaultAction": .string("SCMP_ACT_ERRNO"),
            "architectures": strings(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
            "syscalls": .array([
                .object(["names": strings(allowedSystemCalls), "action": .string("SCMP_ACT_ALLOW")])
            ]),
        ])
    }

    private static let refused: Set<String> = [
        "acct", "add_key", "bpf", "clone3", "delete_module", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
        "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mbind",
        "migrate_pages", "mount", "mount_setattr", "move_mount", "move_pages", "nfsservctl", "open_by_handle_at",
        "open_tree",
        "perf_event_open", "pivot_root", "process_vm_readv", "process_vm_writev", "quotactl", "quotactl_fd", "reboot",
        "request_key", "set_mempolicy", "setdomainname", "sethostname", "setns", "settimeofday", "swapoff", "swapon",
        "syslog", "umount2", "unshare", "userfaultfd", "vhangup", "_sysctl", "create_module", "get_kernel_syms",
        "query_module", "uselib", "sysfs", "ustat",
    ]

    /// Every system call of this machine by its number, except the refused.
    private static var allowedSystemCalls: [String] {
        let architecture = seccomp_arch_native()
        // No architecture has more than 512 yet.
        return (0..<Int32(512)).compactMap { number in
            guard let name = seccomp_syscall_resolve_num_arch(architecture, number) else { return nil }
            defer { free(name) }
            let text = String(cString: name)
            return refused.contains(text) ? nil : text
        }
    }
}
