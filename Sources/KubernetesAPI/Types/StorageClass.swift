/// A kind of storage that claims can ask for, and who makes volumes of it.
public struct StorageClass: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "storage.k8s.io", version: "v1", kind: "StorageClass", plural: "storageclasses",
            singular: "storageclass", shortNames: ["sc"], namespaced: false)
    }

    @APIVersionOf<StorageClass> public var apiVersion: String
    @KindOf<StorageClass> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    /// Who makes the volumes.
    @ZeroIfAbsent public var provisioner: String
    public var parameters: [String: String]?
    /// What becomes of a volume whose claim is gone: `Delete` or `Retain`.
    public var reclaimPolicy: String?
    public var mountOptions: [String]?
    public var allowVolumeExpansion: Bool?
    /// `Immediate` or `WaitForFirstConsumer`.
    public var volumeBindingMode: String?
    /// Where volumes may be made; kept so that it survives a round trip.
    public var allowedTopologies: JSONValue?

    /// On the one class that claims without a class get.
    public static let defaultAnnotation = "storageclass.kubernetes.io/is-default-class"

    public init(
        metadata: ObjectMeta = ObjectMeta(), provisioner: String = "", parameters: [String: String]? = nil,
        reclaimPolicy: String? = nil, mountOptions: [String]? = nil, allowVolumeExpansion: Bool? = nil,
        volumeBindingMode: String? = nil
    ) {
        self.metadata = metadata
        self.provisioner = provisioner
        self.parameters = parameters
        self.reclaimPolicy = reclaimPolicy
        self.mountOptions = mountOptions
        self.allowVolumeExpansion = allowVolumeExpansion
        self.volumeBindingMode = volumeBindingMode
    }

    /// The class says that it is the default one.
    public var isDefault: Bool { metadata.annotations?[Self.defaultAnnotation] == "true" }

    /// A volume is made only when a pod that uses the claim has a node.
    public var waitsForConsumer: Bool { volumeBindingMode == "WaitForFirstConsumer" }
}
