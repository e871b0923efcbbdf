/// A group of containers that share a sandbox and run on one node.
public struct Pod: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "Pod", plural: "pods",
            singular: "pod", shortNames: ["po"], namespaced: true, categories: ["all"])
    }

    @APIVersionOf<Pod> public var apiVersion: String
    @KindOf<Pod> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @Indirect public var spec: PodSpec
    public var status: PodStatus?

    public init(metadata: ObjectMeta = ObjectMeta(), spec: PodSpec = PodSpec(), status: PodStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}
