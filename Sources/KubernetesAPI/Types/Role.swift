/// What may be done in one namespace.
public struct Role: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: RoleReference.group, version: "v1", kind: "Role", plural: "roles", namespaced: true)
    }

    @APIVersionOf<Role> public var apiVersion: String
    @KindOf<Role> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var rules: [PolicyRule]

    public init(metadata: ObjectMeta = ObjectMeta(), rules: [PolicyRule] = []) {
        self.metadata = metadata
        self.rules = rules
    }
}

/// What may be done anywhere, or in the namespaces that bind it.
public struct ClusterRole: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: RoleReference.group, version: "v1", kind: "ClusterRole", plural: "clusterroles", namespaced: false)
    }

    @APIVersionOf<ClusterRole> public var apiVersion: String
    @KindOf<ClusterRole> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var rules: [PolicyRule]
    /// The rules are those of the roles it selects.
    public var aggregationRule: AggregationRule?

    public init(
        metadata: ObjectMeta = ObjectMeta(), rules: [PolicyRule] = [], aggregationRule: AggregationRule? = nil
    ) {
        self.metadata = metadata
        self.rules = rules
        self.aggregationRule = aggregationRule
    }
}

/// Which roles a ``ClusterRole`` is made of.
public struct AggregationRule: Codable, Hashable, Sendable {
    public var clusterRoleSelectors: [LabelSelector]?

    public init(clusterRoleSelectors: [LabelSelector]? = nil) { self.clusterRoleSelectors = clusterRoleSelectors }
}

/// Verbs on kinds or on paths.
public struct PolicyRule: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var verbs: [String]
    /// `""` is the core group, `*` every group.
    public var apiGroups: [String]?
    /// `pods`, `pods/log`, `*/scale` or `*`.
    public var resources: [String]?
    /// Only objects of these names; empty means all.
    public var resourceNames: [String]?
    /// Paths that are no objects; a last `*` stands for the rest.
    public var nonResourceURLs: [String]?

    public init(
        verbs: [String] = [], apiGroups: [String]? = nil, resources: [String]? = nil, resourceNames: [String]? = nil,
        nonResourceURLs: [String]? = nil
    ) {
        self.verbs = verbs
        self.apiGroups = apiGroups
        self.resources = resources
        self.resourceNames = resourceNames
        self.nonResourceURLs = nonResourceURLs
    }
}
