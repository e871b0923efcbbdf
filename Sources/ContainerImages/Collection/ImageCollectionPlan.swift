/// Which images may go, and in which order. Pure.
///
/// What a pod needs, and what is pinned, is never among them; nor is what came a moment ago, which somebody may be about
/// to use.
public struct ImageCollectionPlan: Hashable, Sendable {
    /// What is known of one image.
    public struct Candidate: Hashable, Sendable {
        public var id: String
        /// Seconds since 1970.
        public var firstSeen: Int64
        /// The same; nil when it was never used.
        public var lastUsed: Int64?
        public var isPinned: Bool
        public var isNeeded: Bool

        public init(id: String, firstSeen: Int64, lastUsed: Int64?, isPinned: Bool = false, isNeeded: Bool = false) {
            self.id = id
            self.firstSeen = firstSeen
            self.lastUsed = lastUsed
            self.isPinned = isPinned
            self.isNeeded = isNeeded
        }
    }

    /// The file system with the images.
    public struct Disk: Hashable, Sendable {
        public var capacityBytes: Int64
        public var availableBytes: Int64

        public init(capacityBytes: Int64, availableBytes: Int64) {
            self.capacityBytes = capacityBytes
            self.availableBytes = availableBytes
        }

        /// Rounded up, as what is not available is not there; 0 for a disk of no size.
        var usedPercent: Int64 {
            guard capacityBytes > 0 else { return 0 }
            let share = Double(min(max(0, availableBytes), capacityBytes)) / Double(capacityBytes)
            return 100 - Int64(share * 100)
        }

        /// Bytes to be freed until no more than `percent` are used.
        func excess(over percent: Int) -> Int64 {
            let wanted = Double(capacityBytes) * Double(100 - min(max(0, percent), 100)) / 100
            return max(0, Int64(min(wanted, Double(Int64.max / 2))) - max(0, availableBytes))
        }
    }

    /// Unused for longer than the maximum age: to be removed now.
    public let expired: [String]
    /// To be removed while space is short, in this order: used longest ago first, and of those the one that came first.
    public let spare: [String]
    /// Images that nobody needs but that are too young yet.
    public let young: Int

    /// - Parameter now: seconds since 1970; times after it count as now.
    public init(_ candidates: [Candidate], policy: ImageCollectionPolicy, now: Int64) {
        func age(_ time: Int64) -> Duration {
            let (seconds, overflow) = now.subtractingReportingOverflow(time)
            return overflow ? .zero : .seconds(max(0, seconds))
        }
        let free = candidates.filter { !$0.isNeeded && !$0.isPinned }
        let old = free.filter { age($0.firstSeen) >= policy.minimumAge }
        young = free.count - old.count
        let ordered = old.sorted { left, right in
            (left.lastUsed ?? left.firstSeen, left.firstSeen, left.id)
                < (right.lastUsed ?? right.firstSeen, right.firstSeen, right.id)
        }
        func isExpired(_ candidate: Candidate) -> Bool {
            policy.maximumAge > .zero && age(candidate.lastUsed ?? candidate.firstSeen) > policy.maximumAge
        }
        expired = ordered.filter(isExpired).map(\.id)
        spare = ordered.filter { !isExpired($0) }.map(\.id)
    }

    /// Bytes to be freed now: nothing below the high threshold, and above it what brings the disk down to the low one.
    public static func bytesToFree(on disk: Disk, policy: ImageCollectionPolicy) -> Int64 {
        guard policy.highThresholdPercent < 100, disk.usedPercent >= Int64(policy.highThresholdPercent) else {
            return 0
        }
        return disk.excess(over: policy.lowThresholdPercent)
    }
}
