/// Asks for a token of a service account: posted to `serviceaccounts/<name>/token`.
public struct TokenRequest: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", plural: "tokenrequests",
            namespaced: true)
    }

    @APIVersionOf<TokenRequest> public var apiVersion: String
    @KindOf<TokenRequest> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: TokenRequestSpec
    public var status: TokenRequestStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: TokenRequestSpec = TokenRequestSpec(),
        status: TokenRequestStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// What the token of a ``TokenRequest`` shall be good for.
public struct TokenRequestSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Who shall accept the token; empty means the API server itself.
    public var audiences: [String]?
    /// Seconds, 600 to 2^32; absent means 3600. The server may give less.
    public var expirationSeconds: Int64?
    /// The token is good only as long as this object exists.
    public var boundObjectRef: BoundObjectReference?

    public init(
        audiences: [String]? = nil, expirationSeconds: Int64? = nil, boundObjectRef: BoundObjectReference? = nil
    ) {
        self.audiences = audiences
        self.expirationSeconds = expirationSeconds
        self.boundObjectRef = boundObjectRef
    }
}

/// The object whose life ends the life of a token.
public struct BoundObjectReference: Codable, Hashable, Sendable {
    /// `Pod`, `Secret` or `Node`.
    public var kind: String?
    public var apiVersion: String?
    public var name: String?
    public var uid: String?

    public init(kind: String? = nil, apiVersion: String? = nil, name: String? = nil, uid: String? = nil) {
        self.kind = kind
        self.apiVersion = apiVersion
        self.name = name
        self.uid = uid
    }
}

/// The answer to a ``TokenRequest``. Secret: never logged.
public struct TokenRequestStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var token: String
    public var expirationTimestamp: Timestamp?

    public init(token: String = "", expirationTimestamp: Timestamp? = nil) {
        self.token = token
        self.expirationTimestamp = expirationTimestamp
    }
}

extension TokenRequest: Validatable, Defaultable {
    public mutating func applyDefaults() {
        if spec.expirationSeconds == nil { spec.expirationSeconds = 3600 }
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec", "expirationSeconds")
        let seconds = spec.expirationSeconds ?? 3600
        var errors: [FieldError] = []
        if seconds < 600 {
            errors.append(.invalid(path, seconds, "may not specify a duration less than 10 minutes"))
        } else if seconds > 1 << 32 {
            errors.append(.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds"))
        }
        return errors
    }
}
