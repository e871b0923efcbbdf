public import LinuxKernel

/// Which pod has which host ids. Pure: it remembers nothing that the sandboxes' records do not say.
public struct IDRangeAllocator: Sendable {
    private let pool: IDRangePool
    /// By pod UID. More than one only when records of another configuration say so; the last is the one in use.
    private var ranges: [String: [IDRange]] = [:]

    public init(pool: IDRangePool) {
        self.pool = pool
    }

    /// Takes note of a range that a pod has already, whatever the configuration is now.
    public mutating func reserve(_ range: IDRange, for pod: String) {
        var known = ranges[pod] ?? []
        known.removeAll { $0 == range }
        ranges[pod] = known + [range]
    }

    /// The range of a pod: the one it has, or the lowest that shares no id with any other pod's.
    public mutating func allocate(for pod: String) throws(IDRangeError) -> IDRange {
        if let range = ranges[pod]?.last { return range }
        let taken = ranges.values.joined()
        for index in 0..<pool.capacity {
            guard let range = pool.range(index), !taken.contains(where: range.overlaps) else { continue }
            ranges[pod] = [range]
            return range
        }
        throw IDRangeError(
            "all \(pool.capacity) ranges of host ids are in use by \(ranges.count) pods: give user \(IDRangePool.account) "
                + "more ids in /etc/subuid and /etc/subgid, or raise maxPods")
    }

    /// Gives back whatever the pod has.
    public mutating func release(_ pod: String) { ranges[pod] = nil }

    /// The pods that have a range.
    public var pods: Set<String> { Set(ranges.keys) }
}
