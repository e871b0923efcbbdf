/// Keeps pods running and replaces them bit by bit when their template changes.
public struct Deployment: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "apps", version: "v1", kind: "Deployment", plural: "deployments", shortNames: ["deploy"],
            namespaced: true, categories: ["all"])
    }

    @APIVersionOf<Deployment> public var apiVersion: String
    @KindOf<Deployment> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: DeploymentSpec
    public var status: DeploymentStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: DeploymentSpec = DeploymentSpec(), status: DeploymentStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The desired state of a ``Deployment``.
public struct DeploymentSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Absent means 1.
    public var replicas: Int32?
    public var selector: LabelSelector?
    @ZeroIfAbsent public var template: PodTemplateSpec
    public var strategy: DeploymentStrategy?
    /// Seconds a pod must be ready before it counts as available.
    public var minReadySeconds: Int32?
    /// Old revisions kept for a rollback; absent means 10.
    public var revisionHistoryLimit: Int32?
    /// Changes of the template wait until it is false again.
    public var paused: Bool?
    /// Seconds without progress after which the rollout counts as failed; absent means 600.
    public var progressDeadlineSeconds: Int32?

    public init(
        replicas: Int32? = nil, selector: LabelSelector? = nil, template: PodTemplateSpec = PodTemplateSpec(),
        strategy: DeploymentStrategy? = nil, minReadySeconds: Int32? = nil, revisionHistoryLimit: Int32? = nil,
        paused: Bool? = nil, progressDeadlineSeconds: Int32? = nil
    ) {
        self.replicas = replicas
        self.selector = selector
        self.template = template
        self.strategy = strategy
        self.minReadySeconds = minReadySeconds
        self.revisionHistoryLimit = revisionHistoryLimit
        self.paused = paused
        self.progressDeadlineSeconds = progressDeadlineSeconds
    }
}

/// How a ``Deployment`` replaces its pods.
public struct DeploymentStrategy: Codable, Hashable, Sendable {
    /// `RollingUpdate` or `Recreate`.
    public var type: String?
    public var rollingUpdate: RollingUpdateDeployment?

    public init(type: String? = nil, rollingUpdate: RollingUpdateDeployment? = nil) {
        self.type = type
        self.rollingUpdate = rollingUpdate
    }
}

/// The bounds of a rolling update, as numbers or shares of the replicas.
public struct RollingUpdateDeployment: Codable, Hashable, Sendable {
    public var maxUnavailable: IntOrString?
    public var maxSurge: IntOrString?

    public init(maxUnavailable: IntOrString? = nil, maxSurge: IntOrString? = nil) {
        self.maxUnavailable = maxUnavailable
        self.maxSurge = maxSurge
    }
}

/// The observed state of a ``Deployment``.
public struct DeploymentStatus: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var observedGeneration: Int64?
    public var replicas: Int32?
    public var updatedReplicas: Int32?
    public var readyReplicas: Int32?
    public var availableReplicas: Int32?
    public var unavailableReplicas: Int32?
    public var terminatingReplicas: Int32?
    public var conditions: [WorkloadCondition]?
    /// How often the name of a new replica set was taken.
    public var collisionCount: Int32?

    public init() {}
}
