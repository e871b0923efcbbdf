/// An identity for the processes of a pod.
public struct ServiceAccount: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts",
            singular: "serviceaccount", shortNames: ["sa"], namespaced: true, categories: [])
    }

    @APIVersionOf<ServiceAccount> public var apiVersion: String
    @KindOf<ServiceAccount> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    public var secrets: [ObjectReference]?
    public var imagePullSecrets: [LocalObjectReference]?
    public var automountServiceAccountToken: Bool?

    public init(
        metadata: ObjectMeta = ObjectMeta(), secrets: [ObjectReference]? = nil,
        imagePullSecrets: [LocalObjectReference]? = nil, automountServiceAccountToken: Bool? = nil
    ) {
        self.metadata = metadata
        self.secrets = secrets
        self.imagePullSecrets = imagePullSecrets
        self.automountServiceAccountToken = automountServiceAccountToken
    }
}
