import KubernetesAPI

extension PodExposure {
    /// What a capability is worth to an intruder, and why. Others count little.
    private static let dangers: [String: (points: Int, reason: String)] = [
        "ALL": (60, "every capability there is"), "SYS_ADMIN": (40, "mounts, namespaces and most of what root can do"),
        "SYS_MODULE": (50, "loads code into the kernel"),
        "SYS_RAWIO": (40, "reads and writes memory and disks directly"),
        "SYS_PTRACE": (20, "takes over other processes"), "BPF": (25, "loads programs into the kernel"),
        "DAC_READ_SEARCH": (25, "opens files of the host by handle"), "SYS_BOOT": (20, "restarts the host"),
        "NET_ADMIN": (10, "changes its network at will"), "SYS_TIME": (10, "sets the host's clock"),
        "SYSLOG": (8, "reads the kernel's log"), "PERFMON": (10, "watches the kernel and other processes"),
        "MAC_ADMIN": (20, "changes the security policy"), "MAC_OVERRIDE": (20, "passes by the security policy"),
        "CHECKPOINT_RESTORE": (10, "chooses process identifiers"), "SYS_RESOURCE": (8, "raises its limits"),
        "LINUX_IMMUTABLE": (4, "changes immutable files"), "AUDIT_CONTROL": (8, "switches auditing off"),
    ]

    mutating func addCapabilities(_ container: Container, _ field: String) {
        let capabilities = container.securityContext?.capabilities
        for name in capabilities?.add ?? [] {
            let bare = (name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name).uppercased()
            let danger = Self.dangers[bare] ?? (2, "more than a program usually needs")
            add(
                danger.points, "capability \(bare)", field + ".securityContext.capabilities.add",
                "\(bare): \(danger.reason)",
                fix: "leave \(bare) out")
        }
        let dropsAll = capabilities?.drop?.contains { $0.uppercased() == "ALL" } == true
        if !dropsAll, container.securityContext?.privileged != true {
            add(
                4, "defaultCapabilities", field + ".securityContext.capabilities.drop",
                "keeps the 14 capabilities containers have by default", fix: "drop ALL, and add what it needs")
        }
    }
}
