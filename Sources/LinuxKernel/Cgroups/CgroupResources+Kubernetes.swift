import Glibc

/// Kubernetes' arithmetic from requests and limits to kernel values. Pure; saturates instead of overflowing.
extension CgroupResources {
    static let minimumShares: UInt64 = 2
    static let maximumShares: UInt64 = 262_144
    static let maximumIOWeight: UInt64 = 10_000
    static let maximumBFQWeight: UInt64 = 1000
    /// The kernel refuses a quota below 1 ms.
    static let minimumQuotaMicroseconds: Int64 = 1000

    /// CPU shares for a request: 1024 for each core, in 2...262144; no request gets the minimum.
    public static func cpuShares(milliCPU: Int64) -> UInt64 {
        guard milliCPU > 0 else { return minimumShares }
        let (product, overflow) = UInt64(milliCPU).multipliedReportingOverflow(by: 1024)
        if overflow { return maximumShares }
        return min(maximumShares, max(minimumShares, product / 1000))
    }

    /// CPU time in microseconds per period for a limit, at least 1 ms; `nil` for no limit.
    public static func cpuQuotaMicroseconds(milliCPU: Int64) -> Int64? {
        guard milliCPU > 0 else { return nil }
        let (product, overflow) = milliCPU.multipliedReportingOverflow(by: cpuPeriodMicroseconds)
        return overflow ? Int64.max / 1000 : max(minimumQuotaMicroseconds, product / 1000)
    }

    /// `cpu.weight` (1...10000) for v1 shares, by the curve that maps 2 to 1, 1024 to 100 and 262144 to 10000: a
    /// quadratic in log2(shares), so that a default cgroup keeps its rank beside cgroups of other managers. The older
    /// linear mapping gave 39 for 1024.
    public static func cpuWeight(shares: UInt64) -> UInt64 {
        if shares <= minimumShares { return 1 }
        if shares >= maximumShares { return 10_000 }
        let logarithm = log2(Double(shares))
        let exponent = (logarithm * logarithm + 125 * logarithm) / 612 - 7.0 / 34.0
        return min(10_000, max(1, UInt64(pow(10, exponent).rounded(.up))))
    }

    /// `oom_score_adj` of the containers of a Guaranteed or node-critical pod.
    public static let guaranteedOOMScoreAdjustment = -997
    /// `oom_score_adj` of the containers of a BestEffort pod.
    public static let bestEffortOOMScoreAdjustment = 1000

    /// `oom_score_adj` of a Burstable container: the more of the node it requested, the safer; never as safe as
    /// Guaranteed (3 at least) and never as exposed as BestEffort (999 at most).
    public static func burstableOOMScoreAdjustment(memoryRequestBytes: Int64, nodeMemoryBytes: Int64) -> Int {
        guard memoryRequestBytes > 0, nodeMemoryBytes > 0 else { return 999 }
        guard memoryRequestBytes < nodeMemoryBytes else { return 3 }
        // request < node memory, so the quotient is below 1000 and fits.
        let product = memoryRequestBytes.multipliedFullWidth(by: 1000)
        let share = Int(nodeMemoryBytes.dividingFullWidth(product).quotient)
        return min(999, max(3, 1000 - share))
    }
}
