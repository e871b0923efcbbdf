/// Runs a pod on every node, or on every node of a kind.
public struct DaemonSet: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "apps", version: "v1", kind: "DaemonSet", plural: "daemonsets", shortNames: ["ds"],
            namespaced: true, categories: ["all"])
    }

    @APIVersionOf<DaemonSet> public var apiVersion: String
    @KindOf<DaemonSet> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: DaemonSetSpec = DaemonSetSpec()
    public var status: DaemonSetStatus?

    public init() {}
}

/// The desired state of a ``DaemonSet``.
public struct DaemonSetSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var selector: LabelSelector?
    @ZeroIfAbsent public var template: PodTemplateSpec = PodTemplateSpec()
    public var updateStrategy: DaemonSetUpdateStrategy?
    /// Seconds a pod must be ready before it counts as available.
    public var minReadySeconds: Int32?
    /// Old revisions kept; absent means 10.
    public var revisionHistoryLimit: Int32?

    public init() {}
}

/// How a ``DaemonSet`` replaces its pods.
public struct DaemonSetUpdateStrategy: Codable, Hashable, Sendable {
    /// `RollingUpdate` or `OnDelete`.
    public var type: String?
    public var rollingUpdate: RollingUpdateDaemonSet?

    public init() {}
}

/// The bounds of a rolling update of a ``DaemonSet``, as numbers or shares of the nodes.
public struct RollingUpdateDaemonSet: Codable, Hashable, Sendable {
    public var maxUnavailable: IntOrString?
    public var maxSurge: IntOrString?

    public init() {}
}

/// The observed state of a ``DaemonSet``.
public struct DaemonSetStatus: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    @ZeroIfAbsent public var currentNumberScheduled: Int32 = 0
    /// Nodes that run a pod of it and should not.
    @ZeroIfAbsent public var numberMisscheduled: Int32 = 0
    @ZeroIfAbsent public var desiredNumberScheduled: Int32 = 0
    @ZeroIfAbsent public var numberReady: Int32 = 0
    public var observedGeneration: Int64?
    public var updatedNumberScheduled: Int32?
    public var numberAvailable: Int32?
    public var numberUnavailable: Int32?
    public var collisionCount: Int32?
    public var conditions: [WorkloadCondition]?

    public init() {}
}
