/// Somebody's wish for a certificate (certificates.k8s.io/v1).
public struct CertificateSigningRequest: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "certificates.k8s.io", version: "v1", kind: "CertificateSigningRequest",
            plural: "certificatesigningrequests", shortNames: ["csr"], namespaced: false)
    }

    @APIVersionOf<CertificateSigningRequest> public var apiVersion: String
    @KindOf<CertificateSigningRequest> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: CertificateSigningRequestSpec
    public var status: CertificateSigningRequestStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: CertificateSigningRequestSpec = CertificateSigningRequestSpec(),
        status: CertificateSigningRequestStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// What is wished for, and by whom.
public struct CertificateSigningRequestSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// A PKCS #10 request in PEM, in base64.
    @ZeroIfAbsent public var request: String
    /// Who is to sign it, such as `kubernetes.io/kube-apiserver-client`.
    @ZeroIfAbsent public var signerName: String
    /// How long the certificate should be good for; the signer may shorten it.
    public var expirationSeconds: Int32?
    /// What the certificate is to be used for, such as `client auth`.
    public var usages: [String]?
    /// Who asked; the server fills it in.
    public var username: String?
    public var uid: String?
    public var groups: [String]?
    public var extra: [String: [String]]?

    public init(
        request: String = "", signerName: String = "", expirationSeconds: Int32? = nil, usages: [String]? = nil,
        username: String? = nil, uid: String? = nil, groups: [String]? = nil, extra: [String: [String]]? = nil
    ) {
        self.request = request
        self.signerName = signerName
        self.expirationSeconds = expirationSeconds
        self.usages = usages
        self.username = username
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }
}

/// What has become of a ``CertificateSigningRequest``.
public struct CertificateSigningRequestStatus: Codable, Hashable, Sendable {
    public var conditions: [CertificateSigningRequestCondition]?
    /// The certificate in PEM, in base64.
    public var certificate: String?

    public init(conditions: [CertificateSigningRequestCondition]? = nil, certificate: String? = nil) {
        self.conditions = conditions
        self.certificate = certificate
    }
}

/// A decision about a ``CertificateSigningRequest``.
public struct CertificateSigningRequestCondition: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "type" }

    /// `Approved`, `Denied` or `Failed`.
    @ZeroIfAbsent public var type: String
    @ZeroIfAbsent public var status: String
    public var reason: String?
    public var message: String?
    public var lastUpdateTime: Timestamp?
    public var lastTransitionTime: Timestamp?

    public init(
        type: String = "", status: String = "", reason: String? = nil, message: String? = nil,
        lastUpdateTime: Timestamp? = nil, lastTransitionTime: Timestamp? = nil
    ) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
        self.lastUpdateTime = lastUpdateTime
        self.lastTransitionTime = lastTransitionTime
    }
}
