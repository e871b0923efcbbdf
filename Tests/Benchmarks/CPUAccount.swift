import Glibc
import LinuxKernel

/// What an agent, and everything it starts, uses of the processors: by the kernel's count of a cgroup, which misses no
/// process, however short.
struct CPUAccount: Sendable {
    private static let cgroup = "agent"

    private let cgroups: CgroupManager

    /// Moves the agent, which has to have started nothing yet, beside its pods' cgroups.
    init(_ scope: BenchmarkScope, agent: pid_t) throws(KernelError) {
        let hierarchies = try CgroupHierarchies.discover()
        cgroups = CgroupManager(hierarchies: hierarchies, root: "/" + scope.name)
        try cgroups.createIfNeeded("")
        try cgroups.create(Self.cgroup)
        for mount in Set([hierarchies.unified, hierarchies.v1[.cpuacct]].compactMap(\.self)) {
            let directory = "\(mount)/\(scope.name)/\(Self.cgroup)"
            guard FileSystem.exists(directory) else { continue }
            try FileSystem.writeKernelFile(directory + "/cgroup.procs", "\(agent)")
        }
    }

    /// The agent, and what it has started that is still there and not in a cgroup of its own.
    func processes() throws -> [pid_t] { try cgroups.processes(Self.cgroup) }

    /// Milliseconds so far, of what has ended too.
    func milliseconds() throws -> Double {
        // The whole run's cgroup holds the agent's and that of its pods.
        guard let nanoseconds = try cgroups.usage("").cpuUsageNanoseconds else {
            throw BenchmarkError("this host has no cgroup controller that counts CPU time (cpuacct)")
        }
        return Double(nanoseconds) / 1_000_000
    }
}
