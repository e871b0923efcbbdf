/// Where a pod wants to be, in terms of nodes and of other pods.
public struct Affinity: Codable, Hashable, Sendable {
    public var nodeAffinity: NodeAffinity?
    public var podAffinity: PodAffinity?
    public var podAntiAffinity: PodAntiAffinity?

    public init(
        nodeAffinity: NodeAffinity? = nil, podAffinity: PodAffinity? = nil, podAntiAffinity: PodAntiAffinity? = nil
    ) {
        self.nodeAffinity = nodeAffinity
        self.podAffinity = podAffinity
        self.podAntiAffinity = podAntiAffinity
    }
}

/// Rules about the node's labels and fields.
public struct NodeAffinity: Codable, Hashable, Sendable {
    public var requiredDuringSchedulingIgnoredDuringExecution: NodeSelector?
    public var preferredDuringSchedulingIgnoredDuringExecution: [PreferredSchedulingTerm]?

    public init(
        requiredDuringSchedulingIgnoredDuringExecution: NodeSelector? = nil,
        preferredDuringSchedulingIgnoredDuringExecution: [PreferredSchedulingTerm]? = nil
    ) {
        self.requiredDuringSchedulingIgnoredDuringExecution = requiredDuringSchedulingIgnoredDuringExecution
        self.preferredDuringSchedulingIgnoredDuringExecution = preferredDuringSchedulingIgnoredDuringExecution
    }
}

/// Matches a node when any of the terms does.
public struct NodeSelector: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var nodeSelectorTerms: [NodeSelectorTerm]

    public init(nodeSelectorTerms: [NodeSelectorTerm] = []) {
        self.nodeSelectorTerms = nodeSelectorTerms
    }
}

/// Matches a node when all requirements hold; an empty term matches none.
public struct NodeSelectorTerm: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var matchExpressions: [NodeSelectorRequirement]?
    /// Only `metadata.name`.
    public var matchFields: [NodeSelectorRequirement]?

    public init(matchExpressions: [NodeSelectorRequirement]? = nil, matchFields: [NodeSelectorRequirement]? = nil) {
        self.matchExpressions = matchExpressions
        self.matchFields = matchFields
    }
}

/// One requirement on a label or field of a node.
public struct NodeSelectorRequirement: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var key: String
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    @ZeroIfAbsent public var `operator`: String
    public var values: [String]?

    public init(key: String = "", operator: String = "", values: [String]? = nil) {
        self.key = key
        self.operator = `operator`
        self.values = values
    }
}

/// A preference with a weight.
public struct PreferredSchedulingTerm: Codable, Hashable, Sendable {
    /// 1 to 100.
    @ZeroIfAbsent public var weight: Int32
    @ZeroIfAbsent public var preference: NodeSelectorTerm

    public init(weight: Int32 = 0, preference: NodeSelectorTerm = NodeSelectorTerm()) {
        self.weight = weight
        self.preference = preference
    }
}

/// Rules that attract a pod to others.
public struct PodAffinity: Codable, Hashable, Sendable {
    public var requiredDuringSchedulingIgnoredDuringExecution: [PodAffinityTerm]?
    public var preferredDuringSchedulingIgnoredDuringExecution: [WeightedPodAffinityTerm]?

    public init(
        requiredDuringSchedulingIgnoredDuringExecution: [PodAffinityTerm]? = nil,
        preferredDuringSchedulingIgnoredDuringExecution: [WeightedPodAffinityTerm]? = nil
    ) {
        self.requiredDuringSchedulingIgnoredDuringExecution = requiredDuringSchedulingIgnoredDuringExecution
        self.preferredDuringSchedulingIgnoredDuringExecution = preferredDuringSchedulingIgnoredDuringExecution
    }
}

/// Rules that keep a pod away from others.
public struct PodAntiAffinity: Codable, Hashable, Sendable {
    public var requiredDuringSchedulingIgnoredDuringExecution: [PodAffinityTerm]?
    public var preferredDuringSchedulingIgnoredDuringExecution: [WeightedPodAffinityTerm]?

    public init(
        requiredDuringSchedulingIgnoredDuringExecution: [PodAffinityTerm]? = nil,
        preferredDuringSchedulingIgnoredDuringExecution: [WeightedPodAffinityTerm]? = nil
    ) {
        self.requiredDuringSchedulingIgnoredDuringExecution = requiredDuringSchedulingIgnoredDuringExecution
        self.preferredDuringSchedulingIgnoredDuringExecution = preferredDuringSchedulingIgnoredDuringExecution
    }
}

/// A pod rule with a weight.
public struct WeightedPodAffinityTerm: Codable, Hashable, Sendable {
    /// 1 to 100.
    @ZeroIfAbsent public var weight: Int32
    @ZeroIfAbsent public var podAffinityTerm: PodAffinityTerm

    public init(weight: Int32 = 0, podAffinityTerm: PodAffinityTerm = PodAffinityTerm()) {
        self.weight = weight
        self.podAffinityTerm = podAffinityTerm
    }
}

/// The pods a rule is about and the topology it is measured in.
public struct PodAffinityTerm: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var labelSelector: LabelSelector?
    public var namespaces: [String]?
    @ZeroIfAbsent public var topologyKey: String
    public var namespaceSelector: LabelSelector?
    public var matchLabelKeys: [String]?
    public var mismatchLabelKeys: [String]?

    public init(
        labelSelector: LabelSelector? = nil, namespaces: [String]? = nil, topologyKey: String = "",
        namespaceSelector: LabelSelector? = nil, matchLabelKeys: [String]? = nil, mismatchLabelKeys: [String]? = nil
    ) {
        self.labelSelector = labelSelector
        self.namespaces = namespaces
        self.topologyKey = topologyKey
        self.namespaceSelector = namespaceSelector
        self.matchLabelKeys = matchLabelKeys
        self.mismatchLabelKeys = mismatchLabelKeys
    }
}
