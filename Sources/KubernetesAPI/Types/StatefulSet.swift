/// Keeps pods with lasting names and volumes of their own.
public struct StatefulSet: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "apps", version: "v1", kind: "StatefulSet", plural: "statefulsets", shortNames: ["sts"],
            namespaced: true, categories: ["all"])
    }

    @APIVersionOf<StatefulSet> public var apiVersion: String
    @KindOf<StatefulSet> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: StatefulSetSpec = StatefulSetSpec()
    public var status: StatefulSetStatus?

    public init() {}
}

/// The desired state of a ``StatefulSet``.
public struct StatefulSetSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Absent means 1.
    public var replicas: Int32?
    public var selector: LabelSelector?
    @ZeroIfAbsent public var template: PodTemplateSpec = PodTemplateSpec()
    /// A claim of its own for each pod.
    public var volumeClaimTemplates: [PersistentVolumeClaim]?
    /// The service that names the pods.
    @ZeroIfAbsent public var serviceName: String = ""
    /// `OrderedReady` or `Parallel`.
    public var podManagementPolicy: String?
    public var updateStrategy: StatefulSetUpdateStrategy?
    /// Old revisions kept; absent means 10.
    public var revisionHistoryLimit: Int32?
    /// Seconds a pod must be ready before it counts as available.
    public var minReadySeconds: Int32?
    public var persistentVolumeClaimRetentionPolicy: StatefulSetClaimRetentionPolicy?
    public var ordinals: StatefulSetOrdinals?

    public init() {}
}

/// How a ``StatefulSet`` replaces its pods.
public struct StatefulSetUpdateStrategy: Codable, Hashable, Sendable {
    /// `RollingUpdate` or `OnDelete`.
    public var type: String?
    public var rollingUpdate: RollingUpdateStatefulSet?

    public init() {}
}

/// The bounds of a rolling update of a ``StatefulSet``.
public struct RollingUpdateStatefulSet: Codable, Hashable, Sendable {
    /// Pods with a lower number stay as they are.
    public var partition: Int32?
    public var maxUnavailable: IntOrString?

    public init() {}
}

/// What becomes of the claims of a ``StatefulSet``: `Retain` or `Delete`.
public struct StatefulSetClaimRetentionPolicy: Codable, Hashable, Sendable {
    public var whenDeleted: String?
    public var whenScaled: String?

    public init() {}
}

/// Where the numbers of the pods of a ``StatefulSet`` begin.
public struct StatefulSetOrdinals: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var start: Int32 = 0

    public init() {}
}

/// The observed state of a ``StatefulSet``.
public struct StatefulSetStatus: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var observedGeneration: Int64?
    @ZeroIfAbsent public var replicas: Int32 = 0
    public var readyReplicas: Int32?
    public var currentReplicas: Int32?
    public var updatedReplicas: Int32?
    public var currentRevision: String?
    public var updateRevision: String?
    public var collisionCount: Int32?
    public var conditions: [WorkloadCondition]?
    @ZeroIfAbsent public var availableReplicas: Int32 = 0

    public init() {}
}
