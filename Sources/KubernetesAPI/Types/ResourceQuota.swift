/// How much the objects of a namespace may take together.
public struct ResourceQuota: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            version: "v1", kind: "ResourceQuota", plural: "resourcequotas", shortNames: ["quota"], namespaced: true)
    }

    @APIVersionOf<ResourceQuota> public var apiVersion: String
    @KindOf<ResourceQuota> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: ResourceQuotaSpec
    public var status: ResourceQuotaStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: ResourceQuotaSpec = ResourceQuotaSpec(),
        status: ResourceQuotaStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The bounds of a ``ResourceQuota``.
public struct ResourceQuotaSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// By resource name: `pods`, `requests.cpu`, `count/deployments.apps` …
    public var hard: [String: Quantity]?
    /// Only pods that all of these hold for count.
    public var scopes: [String]?
    /// As `scopes`, with values.
    public var scopeSelector: ScopeSelector?

    public init(
        hard: [String: Quantity]? = nil, scopes: [String]? = nil, scopeSelector: ScopeSelector? = nil
    ) {
        self.hard = hard
        self.scopes = scopes
        self.scopeSelector = scopeSelector
    }
}

/// Which pods a ``ResourceQuota`` counts: those that meet all of these.
public struct ScopeSelector: Codable, Hashable, Sendable {
    public var matchExpressions: [ScopedResourceSelectorRequirement]?

    public init(matchExpressions: [ScopedResourceSelectorRequirement]? = nil) {
        self.matchExpressions = matchExpressions
    }
}

/// One demand of a ``ScopeSelector``.
public struct ScopedResourceSelectorRequirement: Codable, Hashable, Sendable {
    /// One of ``ResourceQuota/scopes``.
    @ZeroIfAbsent public var scopeName: String
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`; the first two, and the last, for `PriorityClass` alone.
    @ZeroIfAbsent public var `operator`: String
    public var values: [String]?

    public init(scopeName: String = "", operator: String = "", values: [String]? = nil) {
        self.scopeName = scopeName
        self.operator = `operator`
        self.values = values
    }
}

/// What is taken of a ``ResourceQuota``.
public struct ResourceQuotaStatus: Codable, Hashable, Sendable {
    public var hard: [String: Quantity]?
    public var used: [String: Quantity]?

    public init(hard: [String: Quantity]? = nil, used: [String: Quantity]? = nil) {
        self.hard = hard
        self.used = used
    }
}
