/// Assigns a pod to a node: posted to `pods/<name>/binding`.
public struct Binding: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "Binding", plural: "bindings",
            singular: "binding", shortNames: [], namespaced: true, categories: [])
    }

    @APIVersionOf<Binding> public var apiVersion: String
    @KindOf<Binding> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    /// The node; `kind` is `Node`.
    @ZeroIfAbsent public var target: ObjectReference

    public init(metadata: ObjectMeta = ObjectMeta(), target: ObjectReference = ObjectReference()) {
        self.metadata = metadata
        self.target = target
    }
}
