/// Asks who is behind a token.
public struct TokenReview: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "authentication.k8s.io", version: "v1", kind: "TokenReview", plural: "tokenreviews",
            namespaced: false)
    }

    @APIVersionOf<TokenReview> public var apiVersion: String
    @KindOf<TokenReview> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: TokenReviewSpec
    public var status: TokenReviewStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: TokenReviewSpec = TokenReviewSpec(),
        status: TokenReviewStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The token of a ``TokenReview``. Secret: never logged.
public struct TokenReviewSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var token: String?
    /// Who the asker is; empty means the API server.
    public var audiences: [String]?

    public init(token: String? = nil, audiences: [String]? = nil) {
        self.token = token
        self.audiences = audiences
    }
}

/// The answer to a ``TokenReview``.
public struct TokenReviewStatus: Codable, Hashable, Sendable {
    public var authenticated: Bool?
    public var user: UserInfo?
    /// Those of the asked audiences that the token is meant for.
    public var audiences: [String]?
    public var error: String?

    public init(
        authenticated: Bool? = nil, user: UserInfo? = nil, audiences: [String]? = nil, error: String? = nil
    ) {
        self.authenticated = authenticated
        self.user = user
        self.audiences = audiences
        self.error = error
    }
}

/// Who a request is from.
public struct UserInfo: Codable, Hashable, Sendable {
    public var username: String?
    public var uid: String?
    public var groups: [String]?
    /// What the authenticator knows besides, such as the pod a token is bound to.
    public var extra: [String: [String]]?

    public init(
        username: String? = nil, uid: String? = nil, groups: [String]? = nil, extra: [String: [String]]? = nil
    ) {
        self.username = username
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }
}

/// Asks the server who it takes the asker for.
public struct SelfSubjectReview: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "authentication.k8s.io", version: "v1", kind: "SelfSubjectReview", plural: "selfsubjectreviews",
            namespaced: false)
    }

    @APIVersionOf<SelfSubjectReview> public var apiVersion: String
    @KindOf<SelfSubjectReview> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    public var status: SelfSubjectReviewStatus?

    public init(metadata: ObjectMeta = ObjectMeta(), status: SelfSubjectReviewStatus? = nil) {
        self.metadata = metadata
        self.status = status
    }
}

/// The answer to a ``SelfSubjectReview``.
public struct SelfSubjectReviewStatus: Codable, Hashable, Sendable {
    public var userInfo: UserInfo?

    public init(userInfo: UserInfo? = nil) { self.userInfo = userInfo }
}
