/// The answer to `GET /api` and `GET /apis` in the aggregated form of `apidiscovery.k8s.io/v2`.
public struct APIGroupDiscoveryList: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "apidiscovery.k8s.io/v2" }
    public static var expectedKind: String { "APIGroupDiscoveryList" }

    @APIVersionOf<APIGroupDiscoveryList> public var apiVersion: String
    @KindOf<APIGroupDiscoveryList> public var kind: String
    @ZeroIfAbsent public var metadata: ListMeta
    @ZeroIfAbsent public var items: [APIGroupDiscovery]

    public init(metadata: ListMeta = ListMeta(), items: [APIGroupDiscovery] = []) {
        self.metadata = metadata
        self.items = items
    }
}

/// One API group with all its versions and resources.
public struct APIGroupDiscovery: Codable, Hashable, Sendable {
    /// `name` is the group's; empty for the core group.
    @ZeroIfAbsent public var metadata: ObjectMeta
    /// Most preferred first.
    public var versions: [APIVersionDiscovery]?

    public init(metadata: ObjectMeta = ObjectMeta(), versions: [APIVersionDiscovery]? = nil) {
        self.metadata = metadata
        self.versions = versions
    }
}

/// One version of a group.
public struct APIVersionDiscovery: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var version: String
    public var resources: [APIResourceDiscovery]?
    /// `Current` or `Stale`.
    public var freshness: String?

    public init(version: String = "", resources: [APIResourceDiscovery]? = nil, freshness: String? = nil) {
        self.version = version
        self.resources = resources
        self.freshness = freshness
    }
}

/// One resource of a group version.
public struct APIResourceDiscovery: Codable, Hashable, Sendable {
    /// The plural.
    @ZeroIfAbsent public var resource: String
    public var responseKind: GroupVersionKind?
    /// `Namespaced` or `Cluster`.
    @ZeroIfAbsent public var scope: String
    @ZeroIfAbsent public var singularResource: String
    @ZeroIfAbsent public var verbs: [String]
    public var shortNames: [String]?
    public var categories: [String]?
    public var subresources: [APISubresourceDiscovery]?

    public init(
        resource: String = "", responseKind: GroupVersionKind? = nil, scope: String = "",
        singularResource: String = "", verbs: [String] = [], shortNames: [String]? = nil, categories: [String]? = nil,
        subresources: [APISubresourceDiscovery]? = nil
    ) {
        self.resource = resource
        self.responseKind = responseKind
        self.scope = scope
        self.singularResource = singularResource
        self.verbs = verbs
        self.shortNames = shortNames
        self.categories = categories
        self.subresources = subresources
    }
}

/// One subresource, such as `status` or `log`.
public struct APISubresourceDiscovery: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var subresource: String
    public var responseKind: GroupVersionKind?
    public var acceptedTypes: [GroupVersionKind]?
    @ZeroIfAbsent public var verbs: [String]

    public init(
        subresource: String = "", responseKind: GroupVersionKind? = nil, acceptedTypes: [GroupVersionKind]? = nil,
        verbs: [String] = []
    ) {
        self.subresource = subresource
        self.responseKind = responseKind
        self.acceptedTypes = acceptedTypes
        self.verbs = verbs
    }
}

/// A kind in a group version.
public struct GroupVersionKind: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var group: String
    @ZeroIfAbsent public var version: String
    @ZeroIfAbsent public var kind: String

    public init(group: String = "", version: String = "", kind: String = "") {
        self.group = group
        self.version = version
        self.kind = kind
    }
}
