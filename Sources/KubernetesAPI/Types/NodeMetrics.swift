/// What a node uses (metrics.k8s.io/v1beta1).
public struct NodeMetrics: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "metrics.k8s.io", version: "v1beta1", kind: "NodeMetrics", plural: "nodes", singular: "",
            shortNames: [], namespaced: false, categories: [])
    }

    @APIVersionOf<NodeMetrics> public var apiVersion: String
    @KindOf<NodeMetrics> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    /// When the figures were read.
    public var timestamp: Timestamp?
    /// The time before ``timestamp`` over which the CPU use is an average, as Go writes durations: `10.5s`.
    public var window: String?
    /// `cpu` in cores and `memory` in bytes.
    public var usage: [String: Quantity]?

    public init(
        metadata: ObjectMeta = ObjectMeta(), timestamp: Timestamp? = nil, window: String? = nil,
        usage: [String: Quantity]? = nil
    ) {
        self.metadata = metadata
        self.timestamp = timestamp
        self.window = window
        self.usage = usage
    }
}

/// What the containers of a pod use (metrics.k8s.io/v1beta1).
public struct PodMetrics: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "metrics.k8s.io", version: "v1beta1", kind: "PodMetrics", plural: "pods", singular: "",
            shortNames: [], namespaced: true, categories: [])
    }

    @APIVersionOf<PodMetrics> public var apiVersion: String
    @KindOf<PodMetrics> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    /// When the figures were read.
    public var timestamp: Timestamp?
    /// The time before ``timestamp`` over which the CPU use is an average, as Go writes durations: `10.5s`.
    public var window: String?
    public var containers: [ContainerMetrics]?

    public init(
        metadata: ObjectMeta = ObjectMeta(), timestamp: Timestamp? = nil, window: String? = nil,
        containers: [ContainerMetrics]? = nil
    ) {
        self.metadata = metadata
        self.timestamp = timestamp
        self.window = window
        self.containers = containers
    }
}

/// What one container of a ``PodMetrics`` uses.
public struct ContainerMetrics: Codable, Hashable, Sendable {
    public var name: String?
    /// `cpu` in cores and `memory` in bytes.
    public var usage: [String: Quantity]?

    public init(name: String? = nil, usage: [String: Quantity]? = nil) {
        self.name = name
        self.usage = usage
    }
}
