/// What a cgroup and everything below it used. A field is `nil` when the host cannot tell.
public struct CgroupUsage: Hashable, Sendable {
    public var cpuUsageNanoseconds: UInt64?
    public var cpuUserNanoseconds: UInt64?
    public var cpuSystemNanoseconds: UInt64?
    /// Enforcement periods of the CPU quota that passed, those the cgroup was throttled in, and for how long.
    public var cpuPeriods: UInt64?
    public var throttledPeriods: UInt64?
    public var throttledNanoseconds: UInt64?
    public var memoryUsageBytes: UInt64?
    /// Anonymous memory.
    public var memoryRSSBytes: UInt64?
    /// Page cache, shared memory included.
    public var memoryCacheBytes: UInt64?
    public var memoryInactiveFileBytes: UInt64?
    public var memorySwapBytes: UInt64?
    public var pageFaults: UInt64?
    public var majorPageFaults: UInt64?
    /// `nil` also when there is no limit.
    public var memoryLimitBytes: UInt64?
    public var pidsCurrent: UInt64?
    /// Processes the kernel killed because the cgroup ran out of memory.
    public var oomKills: UInt64?

    public init() {}

    /// Usage without the file pages the kernel would drop first: what eviction and autoscaling compare with.
    public var memoryWorkingSetBytes: UInt64? {
        guard let usage = memoryUsageBytes else { return nil }
        let inactive = memoryInactiveFileBytes ?? 0
        return usage > inactive ? usage - inactive : 0
    }
}
