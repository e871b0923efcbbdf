/// Spreads pods over the nodes' topology domains.
public struct TopologySpreadConstraint: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "topologyKey" }

    /// How many more matching pods one domain may have than the emptiest.
    @ZeroIfAbsent public var maxSkew: Int32
    /// The node label whose values are the domains.
    @ZeroIfAbsent public var topologyKey: String
    /// `DoNotSchedule` or `ScheduleAnyway`.
    @ZeroIfAbsent public var whenUnsatisfiable: String
    public var labelSelector: LabelSelector?
    public var minDomains: Int32?
    /// `Honor` or `Ignore`.
    public var nodeAffinityPolicy: String?
    /// `Honor` or `Ignore`.
    public var nodeTaintsPolicy: String?
    public var matchLabelKeys: [String]?

    public init(
        maxSkew: Int32 = 0, topologyKey: String = "", whenUnsatisfiable: String = "",
        labelSelector: LabelSelector? = nil, minDomains: Int32? = nil, nodeAffinityPolicy: String? = nil,
        nodeTaintsPolicy: String? = nil, matchLabelKeys: [String]? = nil
    ) {
        self.maxSkew = maxSkew
        self.topologyKey = topologyKey
        self.whenUnsatisfiable = whenUnsatisfiable
        self.labelSelector = labelSelector
        self.minDomains = minDomains
        self.nodeAffinityPolicy = nodeAffinityPolicy
        self.nodeTaintsPolicy = nodeTaintsPolicy
        self.matchLabelKeys = matchLabelKeys
    }
}
