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
