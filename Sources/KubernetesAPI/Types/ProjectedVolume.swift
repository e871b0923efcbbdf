/// The keys of a ConfigMap as files.
public struct ConfigMapVolumeSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    /// Absent means every key under its own name.
    public var items: [KeyToPath]?
    /// File mode bits; absent means 0644.
    public var defaultMode: Int32?
    public var optional: Bool?

    public init(name: String = "", items: [KeyToPath]? = nil, defaultMode: Int32? = nil, optional: Bool? = nil) {
        self.name = name
        self.items = items
        self.defaultMode = defaultMode
        self.optional = optional
    }
}

/// The keys of a Secret as files.
public struct SecretVolumeSource: Codable, Hashable, Sendable {
    public var secretName: String?
    /// Absent means every key under its own name.
    public var items: [KeyToPath]?
    /// File mode bits; absent means 0644.
    public var defaultMode: Int32?
    public var optional: Bool?

    public init(
        secretName: String? = nil, items: [KeyToPath]? = nil, defaultMode: Int32? = nil, optional: Bool? = nil
    ) {
        self.secretName = secretName
        self.items = items
        self.defaultMode = defaultMode
        self.optional = optional
    }
}

/// One key and the file it becomes.
public struct KeyToPath: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var key: String
    /// Relative to the volume, without `..`.
    @ZeroIfAbsent public var path: String
    /// File mode bits; absent means the volume's `defaultMode`.
    public var mode: Int32?

    public init(key: String = "", path: String = "", mode: Int32? = nil) {
        self.key = key
        self.path = path
        self.mode = mode
    }
}

/// Facts about the pod as files.
public struct DownwardAPIVolumeSource: Codable, Hashable, Sendable {
    public var items: [DownwardAPIVolumeFile]?
    /// File mode bits; absent means 0644.
    public var defaultMode: Int32?

    public init(items: [DownwardAPIVolumeFile]? = nil, defaultMode: Int32? = nil) {
        self.items = items
        self.defaultMode = defaultMode
    }
}

/// One fact and the file it becomes.
public struct DownwardAPIVolumeFile: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var path: String
    public var fieldRef: ObjectFieldSelector?
    public var resourceFieldRef: ResourceFieldSelector?
    public var mode: Int32?

    public init(
        path: String = "", fieldRef: ObjectFieldSelector? = nil, resourceFieldRef: ResourceFieldSelector? = nil,
        mode: Int32? = nil
    ) {
        self.path = path
        self.fieldRef = fieldRef
        self.resourceFieldRef = resourceFieldRef
        self.mode = mode
    }
}

/// Several sources in one directory.
public struct ProjectedVolumeSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var sources: [VolumeProjection]
    /// File mode bits; absent means 0644.
    public var defaultMode: Int32?

    public init(sources: [VolumeProjection] = [], defaultMode: Int32? = nil) {
        self.sources = sources
        self.defaultMode = defaultMode
    }
}

/// One source of a ``ProjectedVolumeSource``. Exactly one field is set.
public struct VolumeProjection: Codable, Hashable, Sendable {
    @IndirectIfPresent public var secret: SecretProjection?
    @IndirectIfPresent public var downwardAPI: DownwardAPIProjection?
    @IndirectIfPresent public var configMap: ConfigMapProjection?
    @IndirectIfPresent public var serviceAccountToken: ServiceAccountTokenProjection?
    @IndirectIfPresent public var clusterTrustBundle: ClusterTrustBundleProjection?
    @IndirectIfPresent public var podCertificate: PodCertificateProjection?

    public init(
        secret: SecretProjection? = nil, downwardAPI: DownwardAPIProjection? = nil,
        configMap: ConfigMapProjection? = nil, serviceAccountToken: ServiceAccountTokenProjection? = nil,
        clusterTrustBundle: ClusterTrustBundleProjection? = nil, podCertificate: PodCertificateProjection? = nil
    ) {
        self.secret = secret
        self.downwardAPI = downwardAPI
        self.configMap = configMap
        self.serviceAccountToken = serviceAccountToken
        self.clusterTrustBundle = clusterTrustBundle
        self.podCertificate = podCertificate
    }
}

/// The keys of a Secret in a projected volume.
public struct SecretProjection: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    public var items: [KeyToPath]?
    public var optional: Bool?

    public init(name: String = "", items: [KeyToPath]? = nil, optional: Bool? = nil) {
        self.name = name
        self.items = items
        self.optional = optional
    }
}

/// Facts about the pod in a projected volume.
public struct DownwardAPIProjection: Codable, Hashable, Sendable {
    public var items: [DownwardAPIVolumeFile]?

    public init(items: [DownwardAPIVolumeFile]? = nil) {
        self.items = items
    }
}

/// The keys of a ConfigMap in a projected volume.
public struct ConfigMapProjection: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    public var items: [KeyToPath]?
    public var optional: Bool?

    public init(name: String = "", items: [KeyToPath]? = nil, optional: Bool? = nil) {
        self.name = name
        self.items = items
        self.optional = optional
    }
}

/// A token of the pod's service account, renewed in time.
public struct ServiceAccountTokenProjection: Codable, Hashable, Sendable {
    public var audience: String?
    /// Seconds, at least 600; absent means 3600.
    public var expirationSeconds: Int64?
    @ZeroIfAbsent public var path: String

    public init(audience: String? = nil, expirationSeconds: Int64? = nil, path: String = "") {
        self.audience = audience
        self.expirationSeconds = expirationSeconds
        self.path = path
    }
}

/// Trust anchors from ClusterTrustBundle objects.
public struct ClusterTrustBundleProjection: Codable, Hashable, Sendable {
    public var name: String?
    public var signerName: String?
    public var labelSelector: LabelSelector?
    public var optional: Bool?
    @ZeroIfAbsent public var path: String

    public init(
        name: String? = nil, signerName: String? = nil, labelSelector: LabelSelector? = nil, optional: Bool? = nil,
        path: String = ""
    ) {
        self.name = name
        self.signerName = signerName
        self.labelSelector = labelSelector
        self.optional = optional
        self.path = path
    }
}

/// A key and a certificate issued for the pod.
public struct PodCertificateProjection: Codable, Hashable, Sendable {
    public var signerName: String?
    public var keyType: String?
    public var maxExpirationSeconds: Int32?
    public var credentialBundlePath: String?
    public var keyPath: String?
    public var certificateChainPath: String?
    public var userAnnotations: [String: String]?

    public init(
        signerName: String? = nil, keyType: String? = nil, maxExpirationSeconds: Int32? = nil,
        credentialBundlePath: String? = nil, keyPath: String? = nil, certificateChainPath: String? = nil,
        userAnnotations: [String: String]? = nil
    ) {
        self.signerName = signerName
        self.keyType = keyType
        self.maxExpirationSeconds = maxExpirationSeconds
        self.credentialBundlePath = credentialBundlePath
        self.keyPath = keyPath
        self.certificateChainPath = certificateChainPath
        self.userAnnotations = userAnnotations
    }
}
