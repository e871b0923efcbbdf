/// A machine that runs pods.
public struct Node: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "Node", plural: "nodes",
            singular: "node", shortNames: ["no"], namespaced: false, categories: [])
    }

    @APIVersionOf<Node> public var apiVersion: String
    @KindOf<Node> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: NodeSpec
    public var status: NodeStatus?

    public init(metadata: ObjectMeta = ObjectMeta(), spec: NodeSpec = NodeSpec(), status: NodeStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The desired state of a ``Node``.
public struct NodeSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// The range pod addresses come from; equals the first of `podCIDRs`.
    public var podCIDR: String?
    /// One range per family. Merged as a set of strings.
    public var podCIDRs: [String]?
    public var providerID: String?
    /// True keeps new pods away (`kubectl cordon`).
    public var unschedulable: Bool?
    public var taints: [Taint]?
    /// No longer used by any agent.
    public var configSource: JSONValue?
    /// No longer used.
    public var externalID: String?

    public init(
        podCIDR: String? = nil, podCIDRs: [String]? = nil, providerID: String? = nil, unschedulable: Bool? = nil,
        taints: [Taint]? = nil, configSource: JSONValue? = nil, externalID: String? = nil
    ) {
        self.podCIDR = podCIDR
        self.podCIDRs = podCIDRs
        self.providerID = providerID
        self.unschedulable = unschedulable
        self.taints = taints
        self.configSource = configSource
        self.externalID = externalID
    }
}

/// Repels pods that do not tolerate it from a ``Node``.
public struct Taint: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var key: String
    public var value: String?
    /// See ``TaintEffect``.
    @ZeroIfAbsent public var effect: String
    public var timeAdded: Timestamp?

    public init(key: String = "", value: String? = nil, effect: String = "", timeAdded: Timestamp? = nil) {
        self.key = key
        self.value = value
        self.effect = effect
        self.timeAdded = timeAdded
    }
}

/// What a ``Taint`` does to pods that do not tolerate it.
public enum TaintEffect: String, CaseIterable, Sendable {
    case noSchedule = "NoSchedule"
    case preferNoSchedule = "PreferNoSchedule"
    case noExecute = "NoExecute"
}
