/// What directory trees take on their disks: space allocated, not lengths of files.
public struct DiskUsage: Hashable, Sendable {
    public var bytes: UInt64
    public var inodes: UInt64
    /// False when something could not be looked at, or the budget was used up: the numbers are then the least it can be.
    public var isComplete: Bool

    public init(bytes: UInt64 = 0, inodes: UInt64 = 0, isComplete: Bool = true) {
        self.bytes = bytes
        self.inodes = inodes
        self.isComplete = isComplete
    }

    public static func + (one: DiskUsage, other: DiskUsage) -> DiskUsage {
        DiskUsage(
            bytes: saturatingSum(one.bytes, other.bytes), inodes: saturatingSum(one.inodes, other.inodes),
            isComplete: one.isComplete && other.isComplete)
    }

    static func saturatingSum(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// How much work one measurement may be: whoever fills a tree decides how large it is.
    public struct Budget: Hashable, Sendable {
        public var entries: Int
        public var time: Duration

        public init(entries: Int = 2_000_000, time: Duration = .seconds(20)) {
            self.entries = entries
            self.time = time
        }
    }

    /// Looks at every entry of the trees, each inode once however many names it has. No symbolic link is followed and no
    /// mount is crossed, a bind mount of the same file system included. A path that is not there takes nothing.
    ///
    /// Blocks the caller for as long as the budget allows: it belongs on a thread of its own.
    public static func measure(_ paths: [String], budget: Budget = Budget()) -> DiskUsage {
        var walk = DiskUsageWalk(budget)
        for path in paths { walk.add(path) }
        return walk.usage
    }
}
