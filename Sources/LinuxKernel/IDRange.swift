/// Consecutive user and group ids of the host that a user namespace shows as 0, 1, 2, ….
public struct IDRange: Hashable, Sendable, CustomStringConvertible {
    /// The host's id of the namespace's root.
    public let first: UInt32
    public let count: UInt32

    /// nil when the range is empty or reaches the highest id, which means "none" to the kernel.
    public init?(first: UInt32, count: UInt32) {
        guard count > 0, !first.addingReportingOverflow(count).overflow else { return nil }
        self.first = first
        self.count = count
    }

    /// The host's id of one inside; nil when the range does not have it.
    public func hostID(_ id: UInt32) -> UInt32? { id < count ? first + id : nil }

    public func overlaps(_ other: IDRange) -> Bool {
        first < other.first ? other.first - first < count : first - other.first < other.count
    }

    /// The line of /proc/<pid>/uid_map and gid_map (user_namespaces(7)).
    public var mapLine: String { "0 \(first) \(count)" }

    public var description: String { "\(first)-\(first + (count - 1))" }
}
