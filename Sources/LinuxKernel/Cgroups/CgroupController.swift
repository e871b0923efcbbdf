/// A resource controller of the kernel, whichever cgroup version carries it.
public enum CgroupController: String, Hashable, Sendable, CaseIterable {
    case cpu
    /// CPU time accounting: a controller of its own on v1 only; part of every cgroup on v2.
    case cpuacct
    case memory
    case pids
    case io
    case cpuset
    case hugetlb
    /// v1 only: on v2 a program attached to the cgroup stands for it.
    case devices

    /// The name in the mount options of a v1 hierarchy.
    public var v1Name: String { self == .io ? "blkio" : rawValue }

    /// The v1 hierarchies a container always gets a directory in. The others are left to their default unless asked for:
    /// every one of them costs a mkdir, a join and a rmdir for each container.
    static let usedOnV1: [CgroupController] = [.cpu, .cpuacct, .memory, .pids, .devices]

    /// What parents enable for their children on v2.
    static let enabledOnV2: [CgroupController] = [.cpu, .memory, .pids, .io, .cpuset, .hugetlb]
}
