import LinuxKernel

/// The host ids that this node may give to pods, cut into ranges of equal size.
public struct IDRangePool: Hashable, Sendable {
    /// The account whose subordinate ids (subuid(5)) are the node's to give.
    public static let account = "kubelet"
    /// Ids that belong to the host's own users, and a range's least size: every id that images use is below it.
    public static let unit: UInt32 = 65_536

    public let first: UInt32
    public let idsPerPod: UInt32
    /// How many ranges there are.
    public let capacity: UInt32

    private init(first: UInt32, idsPerPod: UInt32, capacity: UInt32) {
        self.first = first
        self.idsPerPod = idsPerPod
        self.capacity = capacity
    }

    /// - Parameters:
    ///   - idsPerPod: a multiple of 65,536.
    ///   - maxPods: how many ranges there are without subordinate ids.
    ///   - subuid: the text of /etc/subuid; nil when there is none.
    ///   - subgid: the text of /etc/subgid; nil when there is none.
    /// - Throws: when a number cannot be used, or the account's ids are not one range, the same of both kinds.
    public init(idsPerPod: Int, maxPods: Int, subuid: String? = nil, subgid: String? = nil) throws(IDRangeError) {
        guard let size = UInt32(exactly: idsPerPod), size > 0, size.isMultiple(of: Self.unit) else {
            throw IDRangeError(
                "userNamespaces.idsPerPod \(idsPerPod): must be a multiple of \(Self.unit), such as \(Self.unit)")
        }
        let users = Self.ranges(subuid ?? "")
        let groups = Self.ranges(subgid ?? "")
        if users.isEmpty, groups.isEmpty {
            let fitting = (UInt32.max - Self.unit) / size
            self.init(
                first: Self.unit, idsPerPod: size, capacity: min(UInt32(clamping: max(1, maxPods)), fitting))
            guard capacity > 0 else {
                throw IDRangeError("userNamespaces.idsPerPod \(idsPerPod): no range of that size is free of the host")
            }
            return
        }
        guard users.count == 1, groups == users, let own = users.first, let range = own else {
            throw IDRangeError(
                "/etc/subuid and /etc/subgid: user \(Self.account) must have one line in each, both with the same range: "
                    + "give it such as \(Self.account):65536:7208960")
        }
        guard range.first >= Self.unit else {
            throw IDRangeError(
                "/etc/subuid: the ids \(range) of \(Self.account) are partly the host's own: start at \(Self.unit) or above"
            )
        }
        guard range.count >= size else {
            throw IDRangeError(
                "/etc/subuid: \(Self.account) has \(range.count) ids, fewer than one pod needs: give it \(size) per pod"
            )
        }
        self.init(first: range.first, idsPerPod: size, capacity: range.count / size)
    }

    /// What a node without settings has: 110 ranges from 65536 on.
    public static let standard = IDRangePool(first: unit, idsPerPod: unit, capacity: 110)

    /// The account's lines `name:first:count`; nil for one that is no range.
    private static func ranges(_ text: String) -> [IDRange?] {
        text.split(whereSeparator: \.isNewline).compactMap { line -> IDRange?? in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.first.map({ $0 == account }) == true else { return nil }
            guard fields.count == 3, let first = UInt32(fields[1]), let count = UInt32(fields[2]) else {
                return .some(nil)
            }
            return .some(IDRange(first: first, count: count))
        }
    }

    func range(_ index: UInt32) -> IDRange? { IDRange(first: first + index * idsPerPod, count: idsPerPod) }
}

/// Why a pod gets no ids of its own, in one line.
public struct IDRangeError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
