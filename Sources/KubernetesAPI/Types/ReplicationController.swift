/// The older form of a ``ReplicaSet``: it selects by equal labels only.
public struct ReplicationController: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            version: "v1", kind: "ReplicationController", plural: "replicationcontrollers", shortNames: ["rc"],
            namespaced: true, categories: ["all"])
    }

    @APIVersionOf<ReplicationController> public var apiVersion: String
    @KindOf<ReplicationController> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: ReplicationControllerSpec = ReplicationControllerSpec()
    public var status: ReplicaSetStatus?

    public init() {}
}

/// The desired state of a ``ReplicationController``.
public struct ReplicationControllerSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Absent means 1.
    public var replicas: Int32?
    /// Seconds a pod must be ready before it counts as available.
    public var minReadySeconds: Int32?
    /// Absent means the labels of the template.
    public var selector: [String: String]?
    public var template: PodTemplateSpec?

    public init() {}
}

/// A template that stands by itself.
public struct PodTemplate: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(version: "v1", kind: "PodTemplate", plural: "podtemplates", namespaced: true)
    }

    @APIVersionOf<PodTemplate> public var apiVersion: String
    @KindOf<PodTemplate> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var template: PodTemplateSpec = PodTemplateSpec()

    public init() {}
}
