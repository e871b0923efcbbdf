/// A name for how important pods are (scheduling.k8s.io/v1).
public struct PriorityClass: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "scheduling.k8s.io", version: "v1", kind: "PriorityClass", plural: "priorityclasses",
            shortNames: ["pc"], namespaced: false)
    }

    @APIVersionOf<PriorityClass> public var apiVersion: String
    @KindOf<PriorityClass> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var value: Int32
    /// Pods that name no class get it.
    public var globalDefault: Bool?
    public var description: String?
    /// `PreemptLowerPriority` or `Never`.
    public var preemptionPolicy: String?

    /// What anybody may give; above are the system's.
    public static let userLimit: Int32 = 1_000_000_000

    public init(
        metadata: ObjectMeta = ObjectMeta(), value: Int32 = 0, globalDefault: Bool? = nil, description: String? = nil,
        preemptionPolicy: String? = nil
    ) {
        self.metadata = metadata
        self.value = value
        self.globalDefault = globalDefault
        self.description = description
        self.preemptionPolicy = preemptionPolicy
    }
}
