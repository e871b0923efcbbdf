/// A request for storage that outlives the pods that use it.
public struct PersistentVolumeClaim: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims",
            singular: "persistentvolumeclaim", shortNames: ["pvc"], namespaced: true, categories: [])
    }

    @APIVersionOf<PersistentVolumeClaim> public var apiVersion: String
    @KindOf<PersistentVolumeClaim> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: PersistentVolumeClaimSpec
    /// What controllers say of it.
    public var status: JSONValue?

    public init(metadata: ObjectMeta = ObjectMeta(), spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()) {
        self.metadata = metadata
        self.spec = spec
    }
}
