/// What the host's cgroups can do for containers, for the preflight check, node conditions and pod events.
public struct CgroupCapabilities: Hashable, Sendable {
    /// Something the host lacks.
    public struct Finding: Hashable, Sendable {
        public let controller: CgroupController?
        /// One sentence: what does not work.
        public let problem: String
        /// One sentence: what the administrator does about it.
        public let fix: String

        public init(controller: CgroupController?, problem: String, fix: String) {
            self.controller = controller
            self.problem = problem
            self.fix = fix
        }
    }

    public let version: CgroupHierarchies.Version
    /// Controllers that can be used, whichever version carries them.
    public let available: Set<CgroupController>
    public let findings: [Finding]

    /// Whether containers can be created at all.
    public var isUsable: Bool { version != .none }
}

extension CgroupManager {
    public var capabilities: CgroupCapabilities {
        var available = Set(CgroupController.allCases.filter { carrier(of: $0) != nil })
        // v2 accounts CPU time in every cgroup.
        if hierarchies.unified != nil { available.insert(.cpuacct) }
        if canRestrictDevices { available.insert(.devices) }
        return CgroupCapabilities(
            version: hierarchies.version, available: available,
            findings: findings(available: available))
    }

    private func findings(available: Set<CgroupController>) -> [CgroupCapabilities.Finding] {
        var findings: [CgroupCapabilities.Finding] = []
        switch hierarchies.version {
        case .none:
            return [
                .init(
                    controller: nil, problem: "No cgroup file system is mounted: no container can be started.",
                    fix: "Mount one: mount -t cgroup2 none /sys/fs/cgroup.")
            ]
        case .v1:
            findings.append(
                .init(
                    controller: nil,
                    problem:
                        "Only cgroup v1 is mounted: processes join and leave slower and are not killed in one step.",
                    fix: "Boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2 on a directory of its own."))
        case .hybrid, .v2: break
        }
        if hierarchies.v1[.memory] != nil {
            findings.append(
                .init(
                    controller: .memory,
                    problem: "The memory controller is on cgroup v1: running out of memory kills single processes, "
                        + "not the container.",
                    fix: "Boot with systemd.unified_cgroup_hierarchy=1 (or cgroup_no_v1=memory)."))
        }
        for controller in [CgroupController.cpu, .cpuacct, .memory, .pids, .devices]
        where !available.contains(controller) {
            findings.append(finding(missing: controller))
        }
        return findings
    }

    private func finding(missing controller: CgroupController) -> CgroupCapabilities.Finding {
        switch controller {
        case .cpu:
            .init(
                controller: controller,
                problem: "The cpu controller is missing: CPU requests and limits are not enforced.",
                fix: "Use a kernel with CONFIG_CGROUP_SCHED and CONFIG_CFS_BANDWIDTH, and delegate cpu to this cgroup.")
        case .cpuacct:
            .init(
                controller: controller, problem: "The cpuacct controller is missing: CPU usage is not reported.",
                fix: "Mount cgroup2, or the v1 hierarchy cpu,cpuacct.")
        case .memory:
            .init(
                controller: controller,
                problem:
                    "The memory controller is missing: memory limits are not enforced and memory usage is not reported.",
                fix: "Boot with cgroup_enable=memory, and delegate memory to this cgroup.")
        case .pids:
            .init(
                controller: controller,
                problem: "The pids controller is missing: a container can exhaust the host's processes.",
                fix: "Use a kernel with CONFIG_CGROUP_PIDS, and delegate pids to this cgroup.")
        case .devices:
            .init(
                controller: controller,
                problem: "Neither the devices controller nor device programs are there: root in a container can open "
                    + "any device of the host by making a node for it.",
                fix: "Use a kernel with CONFIG_CGROUP_BPF, or mount the v1 hierarchy devices.")
        case .io, .cpuset, .hugetlb:
            .init(
                controller: controller, problem: "The \(controller.rawValue) controller is missing.",
                fix: "Use a kernel that has it, and delegate it to this cgroup.")
        }
    }
}
