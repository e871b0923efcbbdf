/// Follows figures with the number of copies of a workload.
public struct HorizontalPodAutoscaler: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers",
            shortNames: ["hpa"], namespaced: true, categories: ["all"])
    }

    @APIVersionOf<HorizontalPodAutoscaler> public var apiVersion: String
    @KindOf<HorizontalPodAutoscaler> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: HorizontalPodAutoscalerSpec = HorizontalPodAutoscalerSpec()
    public var status: HorizontalPodAutoscalerStatus?

    public init() {}
}

/// The desired state of a ``HorizontalPodAutoscaler``.
public struct HorizontalPodAutoscalerSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    @ZeroIfAbsent public var scaleTargetRef: CrossVersionObjectReference = CrossVersionObjectReference()
    /// Absent means 1.
    public var minReplicas: Int32?
    @ZeroIfAbsent public var maxReplicas: Int32 = 0
    /// Absent means 80 % of the requested processor time.
    public var metrics: [MetricSpec]?
    public var behavior: HorizontalPodAutoscalerBehavior?

    public init() {}
}

/// Points at a workload in the same namespace.
public struct CrossVersionObjectReference: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    @ZeroIfAbsent public var kind: String = ""
    @ZeroIfAbsent public var name: String = ""
    public var apiVersion: String?

    public init() {}
}

/// A figure to follow: the member named as its type is set.
public struct MetricSpec: Codable, Hashable, Sendable {
    /// `Object`, `Pods`, `Resource`, `ContainerResource` or `External`.
    @ZeroIfAbsent public var type: String = ""
    public var object: ObjectMetricSource?
    public var pods: PodsMetricSource?
    public var resource: ResourceMetricSource?
    public var containerResource: ContainerResourceMetricSource?
    public var external: ExternalMetricSource?

    public init() {}
}

/// A figure of another object.
public struct ObjectMetricSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var describedObject: CrossVersionObjectReference = CrossVersionObjectReference()
    @ZeroIfAbsent public var target: MetricTarget = MetricTarget()
    @ZeroIfAbsent public var metric: MetricIdentifier = MetricIdentifier()

    public init() {}
}

/// A figure that each pod has.
public struct PodsMetricSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var metric: MetricIdentifier = MetricIdentifier()
    @ZeroIfAbsent public var target: MetricTarget = MetricTarget()

    public init() {}
}

/// What the pods use of a resource.
public struct ResourceMetricSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String = ""
    @ZeroIfAbsent public var target: MetricTarget = MetricTarget()

    public init() {}
}

/// What one container of the pods uses of a resource.
public struct ContainerResourceMetricSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String = ""
    @ZeroIfAbsent public var target: MetricTarget = MetricTarget()
    @ZeroIfAbsent public var container: String = ""

    public init() {}
}

/// A figure from outside of the cluster.
public struct ExternalMetricSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var metric: MetricIdentifier = MetricIdentifier()
    @ZeroIfAbsent public var target: MetricTarget = MetricTarget()

    public init() {}
}

/// Names a figure.
public struct MetricIdentifier: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    @ZeroIfAbsent public var name: String = ""
    public var selector: LabelSelector?

    public init() {}
}

/// What a figure should be.
public struct MetricTarget: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// `Utilization`, `Value` or `AverageValue`.
    @ZeroIfAbsent public var type: String = ""
    public var value: Quantity?
    public var averageValue: Quantity?
    /// Percent of what the pods request.
    public var averageUtilization: Int32?

    public init() {}
}

/// How fast a ``HorizontalPodAutoscaler`` may act.
public struct HorizontalPodAutoscalerBehavior: Codable, Hashable, Sendable {
    public var scaleUp: HPAScalingRules?
    public var scaleDown: HPAScalingRules?

    public init() {}
}

/// The bounds for one direction.
public struct HPAScalingRules: Codable, Hashable, Sendable {
    /// Seconds over which the most careful wish counts.
    public var stabilizationWindowSeconds: Int32?
    /// `Max`, `Min` or `Disabled`.
    public var selectPolicy: String?
    public var policies: [HPAScalingPolicy]?
    public var tolerance: Quantity?

    public init() {}
}

/// One bound: so many pods, or such a share of them, within a time.
public struct HPAScalingPolicy: Codable, Hashable, Sendable {
    /// `Pods` or `Percent`.
    @ZeroIfAbsent public var type: String = ""
    @ZeroIfAbsent public var value: Int32 = 0
    @ZeroIfAbsent public var periodSeconds: Int32 = 0

    public init() {}
}

/// The observed state of a ``HorizontalPodAutoscaler``.
public struct HorizontalPodAutoscalerStatus: Codable, Hashable, Sendable {
    public var observedGeneration: Int64?
    public var lastScaleTime: Timestamp?
    public var currentReplicas: Int32?
    @ZeroIfAbsent public var desiredReplicas: Int32 = 0
    /// The figures as they were last read.
    public var currentMetrics: [JSONValue]?
    public var conditions: [WorkloadCondition]?

    public init() {}
}
