/// An earlier state of a workload, kept so that it can be gone back to.
public struct ControllerRevision: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "apps", version: "v1", kind: "ControllerRevision", plural: "controllerrevisions", namespaced: true)
    }

    @APIVersionOf<ControllerRevision> public var apiVersion: String
    @KindOf<ControllerRevision> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    /// The state, in a form only its controller knows.
    public var data: JSONValue?
    /// Counts up.
    @ZeroIfAbsent public var revision: Int64 = 0

    public init() {}
}
