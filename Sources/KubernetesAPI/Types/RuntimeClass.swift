/// A way of running containers that pods can choose.
public struct RuntimeClass: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "node.k8s.io", version: "v1", kind: "RuntimeClass", plural: "runtimeclasses",
            singular: "runtimeclass", namespaced: false)
    }

    @APIVersionOf<RuntimeClass> public var apiVersion: String
    @KindOf<RuntimeClass> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    /// The node's own name for it.
    @ZeroIfAbsent public var handler: String = ""
    public var overhead: RuntimeClassOverhead?
    public var scheduling: RuntimeClassScheduling?

    public init() {}
}

/// What a pod of a ``RuntimeClass`` takes beside its containers.
public struct RuntimeClassOverhead: Codable, Hashable, Sendable {
    public var podFixed: [String: Quantity]?

    public init() {}
}

/// The nodes that know a ``RuntimeClass``.
public struct RuntimeClassScheduling: Codable, Hashable, Sendable {
    public var nodeSelector: [String: String]?
    public var tolerations: [Toleration]?

    public init() {}
}
