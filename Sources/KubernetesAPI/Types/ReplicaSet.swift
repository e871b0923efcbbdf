/// Keeps a number of equal pods running.
public struct ReplicaSet: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets", shortNames: ["rs"],
            namespaced: true, categories: ["all"])
    }

    @APIVersionOf<ReplicaSet> public var apiVersion: String
    @KindOf<ReplicaSet> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: ReplicaSetSpec
    public var status: ReplicaSetStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: ReplicaSetSpec = ReplicaSetSpec(), status: ReplicaSetStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The desired state of a ``ReplicaSet``.
public struct ReplicaSetSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Absent means 1.
    public var replicas: Int32?
    /// Seconds a pod must be ready before it counts as available.
    public var minReadySeconds: Int32?
    public var selector: LabelSelector?
    @ZeroIfAbsent public var template: PodTemplateSpec

    public init(
        replicas: Int32? = nil, minReadySeconds: Int32? = nil, selector: LabelSelector? = nil,
        template: PodTemplateSpec = PodTemplateSpec()
    ) {
        self.replicas = replicas
        self.minReadySeconds = minReadySeconds
        self.selector = selector
        self.template = template
    }
}

/// The observed state of a ``ReplicaSet``.
public struct ReplicaSetStatus: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    @ZeroIfAbsent public var replicas: Int32
    public var fullyLabeledReplicas: Int32?
    public var readyReplicas: Int32?
    public var availableReplicas: Int32?
    public var terminatingReplicas: Int32?
    public var observedGeneration: Int64?
    public var conditions: [WorkloadCondition]?

    public init(
        replicas: Int32 = 0, fullyLabeledReplicas: Int32? = nil, readyReplicas: Int32? = nil,
        availableReplicas: Int32? = nil, terminatingReplicas: Int32? = nil, observedGeneration: Int64? = nil,
        conditions: [WorkloadCondition]? = nil
    ) {
        self.replicas = replicas
        self.fullyLabeledReplicas = fullyLabeledReplicas
        self.readyReplicas = readyReplicas
        self.availableReplicas = availableReplicas
        self.terminatingReplicas = terminatingReplicas
        self.observedGeneration = observedGeneration
        self.conditions = conditions
    }
}

/// One aspect of the state of a workload.
public struct WorkloadCondition: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "type" }

    @ZeroIfAbsent public var type: String
    /// See ``ConditionStatus``.
    @ZeroIfAbsent public var status: String
    /// Deployments only.
    public var lastUpdateTime: Timestamp?
    /// Jobs only.
    public var lastProbeTime: Timestamp?
    public var lastTransitionTime: Timestamp?
    public var reason: String?
    public var message: String?

    public init(
        type: String = "", status: String = "", lastUpdateTime: Timestamp? = nil, lastProbeTime: Timestamp? = nil,
        lastTransitionTime: Timestamp? = nil, reason: String? = nil, message: String? = nil
    ) {
        self.type = type
        self.status = status
        self.lastUpdateTime = lastUpdateTime
        self.lastProbeTime = lastProbeTime
        self.lastTransitionTime = lastTransitionTime
        self.reason = reason
        self.message = message
    }
}
