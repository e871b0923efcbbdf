/// One resource of a group version, as legacy discovery lists it.
public struct APIResource: Codable, Hashable, Sendable {
    /// The plural, or `plural/subresource`.
    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var singularName: String
    @ZeroIfAbsent public var namespaced: Bool
    public var group: String?
    public var version: String?
    @ZeroIfAbsent public var kind: String
    @ZeroIfAbsent public var verbs: [String]
    public var shortNames: [String]?
    public var categories: [String]?
    public var storageVersionHash: String?

    public init(
        name: String = "", singularName: String = "", namespaced: Bool = false, group: String? = nil,
        version: String? = nil, kind: String = "", verbs: [String] = [], shortNames: [String]? = nil,
        categories: [String]? = nil, storageVersionHash: String? = nil
    ) {
        self.name = name
        self.singularName = singularName
        self.namespaced = namespaced
        self.group = group
        self.version = version
        self.kind = kind
        self.verbs = verbs
        self.shortNames = shortNames
        self.categories = categories
        self.storageVersionHash = storageVersionHash
    }
}

/// The answer to `GET /api/v1` and `GET /apis/<group>/<version>`.
public struct APIResourceList: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "v1" }
    public static var expectedKind: String { "APIResourceList" }

    @APIVersionOf<APIResourceList> public var apiVersion: String
    @KindOf<APIResourceList> public var kind: String
    @ZeroIfAbsent public var groupVersion: String
    @ZeroIfAbsent public var resources: [APIResource]

    public init(groupVersion: String = "", resources: [APIResource] = []) {
        self.groupVersion = groupVersion
        self.resources = resources
    }
}

/// The answer to `GET /api`.
public struct APIVersions: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "v1" }
    public static var expectedKind: String { "APIVersions" }

    @APIVersionOf<APIVersions> public var apiVersion: String
    @KindOf<APIVersions> public var kind: String
    @ZeroIfAbsent public var versions: [String]
    @ZeroIfAbsent public var serverAddressByClientCIDRs: [ServerAddressByClientCIDR]

    public init(versions: [String] = [], serverAddressByClientCIDRs: [ServerAddressByClientCIDR] = []) {
        self.versions = versions
        self.serverAddressByClientCIDRs = serverAddressByClientCIDRs
    }
}

/// One API group and the versions it is served in.
public struct APIGroup: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "v1" }
    public static var expectedKind: String { "APIGroup" }

    @APIVersionOf<APIGroup> public var apiVersion: String
    @KindOf<APIGroup> public var kind: String
    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var versions: [GroupVersionForDiscovery]
    public var preferredVersion: GroupVersionForDiscovery?
    public var serverAddressByClientCIDRs: [ServerAddressByClientCIDR]?

    public init(
        name: String = "", versions: [GroupVersionForDiscovery] = [],
        preferredVersion: GroupVersionForDiscovery? = nil,
        serverAddressByClientCIDRs: [ServerAddressByClientCIDR]? = nil
    ) {
        self.name = name
        self.versions = versions
        self.preferredVersion = preferredVersion
        self.serverAddressByClientCIDRs = serverAddressByClientCIDRs
    }
}

/// The answer to `GET /apis`.
public struct APIGroupList: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "v1" }
    public static var expectedKind: String { "APIGroupList" }

    @APIVersionOf<APIGroupList> public var apiVersion: String
    @KindOf<APIGroupList> public var kind: String
    @ZeroIfAbsent public var groups: [APIGroup]

    public init(groups: [APIGroup] = []) {
        self.groups = groups
    }
}

/// A group version in its two spellings.
public struct GroupVersionForDiscovery: Codable, Hashable, Sendable {
    /// `apps/v1`.
    @ZeroIfAbsent public var groupVersion: String
    /// `v1`.
    @ZeroIfAbsent public var version: String

    public init(groupVersion: String = "", version: String = "") {
        self.groupVersion = groupVersion
        self.version = version
    }
}

/// The address clients of a network should use.
public struct ServerAddressByClientCIDR: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var clientCIDR: String
    @ZeroIfAbsent public var serverAddress: String

    public init(clientCIDR: String = "", serverAddress: String = "") {
        self.clientCIDR = clientCIDR
        self.serverAddress = serverAddress
    }
}
