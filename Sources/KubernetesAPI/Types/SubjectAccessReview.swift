/// Asks whether somebody may do something.
public struct SubjectAccessReview: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "authorization.k8s.io", version: "v1", kind: "SubjectAccessReview", plural: "subjectaccessreviews",
            namespaced: false)
    }

    @APIVersionOf<SubjectAccessReview> public var apiVersion: String
    @KindOf<SubjectAccessReview> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: SubjectAccessReviewSpec
    public var status: SubjectAccessReviewStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: SubjectAccessReviewSpec = SubjectAccessReviewSpec(),
        status: SubjectAccessReviewStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The same within one namespace.
public struct LocalSubjectAccessReview: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "authorization.k8s.io", version: "v1", kind: "LocalSubjectAccessReview",
            plural: "localsubjectaccessreviews", namespaced: true)
    }

    @APIVersionOf<LocalSubjectAccessReview> public var apiVersion: String
    @KindOf<LocalSubjectAccessReview> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: SubjectAccessReviewSpec
    public var status: SubjectAccessReviewStatus?
}

/// Asks whether the asker may do something.
public struct SelfSubjectAccessReview: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectAccessReview",
            plural: "selfsubjectaccessreviews", namespaced: false)
    }

    @APIVersionOf<SelfSubjectAccessReview> public var apiVersion: String
    @KindOf<SelfSubjectAccessReview> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: SelfSubjectAccessReviewSpec
    public var status: SubjectAccessReviewStatus?
}

/// Asks for everything the asker may do in a namespace.
public struct SelfSubjectRulesReview: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectRulesReview",
            plural: "selfsubjectrulesreviews", namespaced: false)
    }

    @APIVersionOf<SelfSubjectRulesReview> public var apiVersion: String
    @KindOf<SelfSubjectRulesReview> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: SelfSubjectRulesReviewSpec
    public var status: SubjectRulesReviewStatus?
}

/// Who and what a ``SubjectAccessReview`` asks about.
public struct SubjectAccessReviewSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var resourceAttributes: ResourceAttributes?
    public var nonResourceAttributes: NonResourceAttributes?
    public var user: String?
    public var groups: [String]?
    public var extra: [String: [String]]?
    public var uid: String?

    public init(
        resourceAttributes: ResourceAttributes? = nil, nonResourceAttributes: NonResourceAttributes? = nil,
        user: String? = nil, groups: [String]? = nil, extra: [String: [String]]? = nil, uid: String? = nil
    ) {
        self.resourceAttributes = resourceAttributes
        self.nonResourceAttributes = nonResourceAttributes
        self.user = user
        self.groups = groups
        self.extra = extra
        self.uid = uid
    }
}

/// What a ``SelfSubjectAccessReview`` asks about.
public struct SelfSubjectAccessReviewSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var resourceAttributes: ResourceAttributes?
    public var nonResourceAttributes: NonResourceAttributes?
}

/// A verb on an object or a kind.
public struct ResourceAttributes: Codable, Hashable, Sendable {
    /// Empty means all namespaces, or a kind outside of them.
    public var namespace: String?
    public var verb: String?
    public var group: String?
    public var version: String?
    public var resource: String?
    public var subresource: String?
    /// Empty means every object.
    public var name: String?

    public init(
        namespace: String? = nil, verb: String? = nil, group: String? = nil, version: String? = nil,
        resource: String? = nil, subresource: String? = nil, name: String? = nil
    ) {
        self.namespace = namespace
        self.verb = verb
        self.group = group
        self.version = version
        self.resource = resource
        self.subresource = subresource
        self.name = name
    }
}

/// A verb on a path.
public struct NonResourceAttributes: Codable, Hashable, Sendable {
    public var path: String?
    public var verb: String?
}

/// The answer to an access review.
public struct SubjectAccessReviewStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var allowed: Bool
    public var denied: Bool?
    public var reason: String?
    public var evaluationError: String?

    public init(allowed: Bool = false, reason: String? = nil) {
        self.allowed = allowed
        self.reason = reason
    }
}

/// Where a ``SelfSubjectRulesReview`` asks about.
public struct SelfSubjectRulesReviewSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var namespace: String?
}

/// The answer to a ``SelfSubjectRulesReview``.
public struct SubjectRulesReviewStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var resourceRules: [PolicyRule]
    @ZeroIfAbsent public var nonResourceRules: [PolicyRule]
    @ZeroIfAbsent public var incomplete: Bool

    public init(resourceRules: [PolicyRule] = [], nonResourceRules: [PolicyRule] = [], incomplete: Bool = false) {
        self.resourceRules = resourceRules
        self.nonResourceRules = nonResourceRules
        self.incomplete = incomplete
    }
}
