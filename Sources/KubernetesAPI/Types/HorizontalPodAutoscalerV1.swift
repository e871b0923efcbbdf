/// The first version of ``HorizontalPodAutoscaler``, which knows the share of the requested processor time alone.
public struct HorizontalPodAutoscalerV1: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "autoscaling", version: "v1", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers",
            shortNames: ["hpa"], namespaced: true, categories: ["all"])
    }

    @APIVersionOf<HorizontalPodAutoscalerV1> public var apiVersion: String
    @KindOf<HorizontalPodAutoscalerV1> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: HorizontalPodAutoscalerV1Spec = HorizontalPodAutoscalerV1Spec()
    public var status: HorizontalPodAutoscalerV1Status?

    public init() {}
}

/// The desired state of a ``HorizontalPodAutoscalerV1``.
public struct HorizontalPodAutoscalerV1Spec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    @ZeroIfAbsent public var scaleTargetRef: CrossVersionObjectReference = CrossVersionObjectReference()
    public var minReplicas: Int32?
    @ZeroIfAbsent public var maxReplicas: Int32 = 0
    public var targetCPUUtilizationPercentage: Int32?

    public init() {}
}

/// The observed state of a ``HorizontalPodAutoscalerV1``.
public struct HorizontalPodAutoscalerV1Status: Codable, Hashable, Sendable {
    public var observedGeneration: Int64?
    public var lastScaleTime: Timestamp?
    @ZeroIfAbsent public var currentReplicas: Int32 = 0
    @ZeroIfAbsent public var desiredReplicas: Int32 = 0
    public var currentCPUUtilizationPercentage: Int32?

    public init() {}
}
