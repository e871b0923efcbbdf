/// How many of a set of pods may be missing at a time by somebody's will (policy/v1).
public struct PodDisruptionBudget: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "policy", version: "v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets",
            shortNames: ["pdb"], namespaced: true)
    }

    @APIVersionOf<PodDisruptionBudget> public var apiVersion: String
    @KindOf<PodDisruptionBudget> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: PodDisruptionBudgetSpec
    public var status: PodDisruptionBudgetStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec(),
        status: PodDisruptionBudgetStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// What a ``PodDisruptionBudget`` demands.
public struct PodDisruptionBudgetSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Number or percentage of the expected pods that stay; not together with `maxUnavailable`.
    public var minAvailable: IntOrString?
    public var selector: LabelSelector?
    /// Number or percentage of the expected pods that may be missing.
    public var maxUnavailable: IntOrString?
    /// `IfHealthyBudget` or `AlwaysAllow`: when pods that are not ready may go.
    public var unhealthyPodEvictionPolicy: String?

    public init(
        minAvailable: IntOrString? = nil, selector: LabelSelector? = nil, maxUnavailable: IntOrString? = nil,
        unhealthyPodEvictionPolicy: String? = nil
    ) {
        self.minAvailable = minAvailable
        self.selector = selector
        self.maxUnavailable = maxUnavailable
        self.unhealthyPodEvictionPolicy = unhealthyPodEvictionPolicy
    }
}

/// Where a ``PodDisruptionBudget`` stands.
public struct PodDisruptionBudgetStatus: Codable, Hashable, Sendable {
    public var observedGeneration: Int64?
    /// Pods whose eviction was granted and that are not gone yet, by name.
    public var disruptedPods: [String: Timestamp]?
    @ZeroIfAbsent public var disruptionsAllowed: Int32
    @ZeroIfAbsent public var currentHealthy: Int32
    @ZeroIfAbsent public var desiredHealthy: Int32
    @ZeroIfAbsent public var expectedPods: Int32
    public var conditions: [Condition]?

    public init(
        observedGeneration: Int64? = nil, disruptedPods: [String: Timestamp]? = nil, disruptionsAllowed: Int32 = 0,
        currentHealthy: Int32 = 0, desiredHealthy: Int32 = 0, expectedPods: Int32 = 0, conditions: [Condition]? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.disruptedPods = disruptedPods
        self.disruptionsAllowed = disruptionsAllowed
        self.currentHealthy = currentHealthy
        self.desiredHealthy = desiredHealthy
        self.expectedPods = expectedPods
        self.conditions = conditions
    }
}
