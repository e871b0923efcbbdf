/// Configuration data that pods read as files or environment variables.
public struct ConfigMap: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "ConfigMap", plural: "configmaps",
            singular: "configmap", shortNames: ["cm"], namespaced: true, categories: [])
    }

    @APIVersionOf<ConfigMap> public var apiVersion: String
    @KindOf<ConfigMap> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    /// True freezes `data` and `binaryData`; it cannot be taken back.
    public var immutable: Bool?
    /// UTF-8 values by key.
    public var data: [String: String]?
    /// Base64 values by key; keys must not also be in `data`.
    public var binaryData: [String: String]?

    public init(
        metadata: ObjectMeta = ObjectMeta(), immutable: Bool? = nil, data: [String: String]? = nil,
        binaryData: [String: String]? = nil
    ) {
        self.metadata = metadata
        self.immutable = immutable
        self.data = data
        self.binaryData = binaryData
    }
}
