/// Confidential data that pods read as files or environment variables. Its description never shows a value.
public struct Secret: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "Secret", plural: "secrets",
            singular: "secret", shortNames: [], namespaced: true, categories: [])
    }

    @APIVersionOf<Secret> public var apiVersion: String
    @KindOf<Secret> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    /// True freezes `data`; it cannot be taken back.
    public var immutable: Bool?
    /// Base64 values by key.
    public var data: [String: String]?
    /// Write-only plain values, merged over `data` when the object is written.
    public var stringData: [String: String]?
    /// See ``SecretType``; absent means `Opaque`.
    public var type: String?

    public init(
        metadata: ObjectMeta = ObjectMeta(), immutable: Bool? = nil, data: [String: String]? = nil,
        stringData: [String: String]? = nil, type: String? = nil
    ) {
        self.metadata = metadata
        self.immutable = immutable
        self.data = data
        self.stringData = stringData
        self.type = type
    }
}

/// The secret types the API server knows required keys for.
public enum SecretType: String, CaseIterable, Sendable {
    case opaque = "Opaque"
    case serviceAccountToken = "kubernetes.io/service-account-token"
    case dockercfg = "kubernetes.io/dockercfg"
    case dockerConfigJSON = "kubernetes.io/dockerconfigjson"
    case basicAuth = "kubernetes.io/basic-auth"
    case sshAuth = "kubernetes.io/ssh-auth"
    case tls = "kubernetes.io/tls"
    case bootstrapToken = "bootstrap.kubernetes.io/token"
}
