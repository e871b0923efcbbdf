/// The limits of one cgroup. `nil` leaves a limit as it is; a negative number lifts it.
public struct CgroupResources: Hashable, Sendable {
    /// Relative CPU share in v1 units, 2...262144, 1024 being one core's request.
    public var cpuShares: UInt64?
    /// CPU time per period of ``cpuPeriodMicroseconds``.
    public var cpuQuotaMicroseconds: Int64?
    public var memoryLimitBytes: Int64?
    /// Number of tasks (processes and threads).
    public var pidsLimit: Int64?
    /// Swap on top of memory. Without it a memory limit also forbids swap, so that the limit is what it says.
    public var memorySwapLimitBytes: Int64?
    /// Memory that is never reclaimed from the cgroup, v2 only.
    public var memoryMinBytes: Int64?
    /// Memory that is reclaimed only when nothing else is left, v2 only.
    public var memoryLowBytes: Int64?
    /// Memory above which the cgroup is slowed down and reclaimed from, v2 only.
    public var memoryHighBytes: Int64?
    /// Bytes in huge pages of each size, by the kernel's name of the size (`2MB`, see ``HugePagePool/cgroupName``).
    public var hugePageLimits: [String: Int64] = [:]
    /// Processors as in `cpuset.cpus`, such as `0-2,7`.
    public var cpuSet: String?
    /// Relative share of a disk's time under load in v2 units, 1...10000; a cgroup without one has 100.
    public var ioWeight: UInt64?
    /// Whether an out-of-memory kill takes all processes of the cgroup, not only the largest.
    public var oomGroup: Bool

    /// The period of ``cpuQuotaMicroseconds``: Kubernetes' default, 100 ms.
    public static let cpuPeriodMicroseconds: Int64 = 100_000

    public init(
        cpuShares: UInt64? = nil, cpuQuotaMicroseconds: Int64? = nil, memoryLimitBytes: Int64? = nil,
        pidsLimit: Int64? = nil, memorySwapLimitBytes: Int64? = nil, oomGroup: Bool = false
    ) {
        self.cpuShares = cpuShares
        self.cpuQuotaMicroseconds = cpuQuotaMicroseconds
        self.memoryLimitBytes = memoryLimitBytes
        self.pidsLimit = pidsLimit
        self.memorySwapLimitBytes = memorySwapLimitBytes
        self.oomGroup = oomGroup
    }
}
