import KubernetesAPI

extension PodAdmission {
    /// What a kernel parameter belongs to; it is the pod's own only if the pod has such a namespace of its own.
    private enum KernelNamespace: String {
        case ipc, net

        /// Nil for a parameter of the whole host.
        init?(owning name: String) {
            if name.hasPrefix("net.") {
                self = .net
            } else if name == "kernel.sem"
                || ["kernel.shm", "kernel.msg", "fs.mqueue."].contains(where: name.hasPrefix)
            {
                self = .ipc
            } else {
                return nil
            }
        }
    }

    /// Whether a name, or a prefix ending in `*`, stands for parameters of a pod's own namespaces alone. No other one can be
    /// allowed: it would be set for the whole host.
    public static func isNamespaced(sysctlPattern pattern: String) -> Bool {
        let name = normalized(pattern)
        return KernelNamespace(owning: name.hasSuffix("*") ? String(name.dropLast()) : name) != nil
    }

    /// Parameters by which a pod can harm no other one. Kubernetes takes some only from a certain kernel on, the latest of them
    /// 4.15: every kernel that this node starts on has them.
    static let safeSysctls: Set<String> = [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ]

    /// - Parameter allowedUnsafe: names, or prefixes ending in `*`.
    static func refusalOfSysctls(_ pod: PodSpec, allowedUnsafe: [String]) -> PodRejection? {
        for sysctl in pod.securityContext?.sysctls ?? [] {
            let name = normalized(sysctl.name)
            if let why = whyForbidden(name, pod, allowedUnsafe) {
                return refusal("SysctlForbidden", "forbidden sysctl: \(why)")
            }
            guard isValue(sysctl.value) else {
                return refusal(
                    "SysctlForbidden",
                    "forbidden sysctl: the value of \"\(name)\" must be letters, digits, spaces and any of . , : / _ -")
            }
        }
        return nil
    }

    private static func whyForbidden(_ name: String, _ pod: PodSpec, _ allowedUnsafe: [String]) -> String? {
        let isAllowed =
            safeSysctls.contains(name)
            || allowedUnsafe.contains { pattern in
                pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == normalized(pattern)
            }
        // Whatever the list says: a parameter without a namespace would be set for the whole host.
        guard isAllowed, let namespace = KernelNamespace(owning: name) else { return "\"\(name)\" not allowlisted" }
        let isHosts =
            switch namespace {
            case .ipc: pod.hostIPC == true
            case .net: pod.hostNetwork == true
            }
        return isHosts ? "\"\(name)\" not allowed with host \(namespace.rawValue) enabled" : nil
    }

    /// One line of what kernel parameters are made of: numbers, lists, ranges and names. Anything else is written for another
    /// reader than the kernel (CVE-2022-0811).
    private static func isValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "."),
                UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    /// The name with dots between its parts. Whichever of `.` and `/` comes first separates; the other one is then part
    /// of an interface's name.
    static func normalized(_ name: String) -> String {
        guard name.first(where: { $0 == "." || $0 == "/" }) == "/" else { return name }
        return String(name.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
    }
}
