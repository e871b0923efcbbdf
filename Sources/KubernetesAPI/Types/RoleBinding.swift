/// Gives a role to subjects, in one namespace.
public struct RoleBinding: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: RoleReference.group, version: "v1", kind: "RoleBinding", plural: "rolebindings", namespaced: true)
    }

    @APIVersionOf<RoleBinding> public var apiVersion: String
    @KindOf<RoleBinding> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    public var subjects: [Subject]?
    @ZeroIfAbsent public var roleRef: RoleReference

    public init(
        metadata: ObjectMeta = ObjectMeta(), subjects: [Subject]? = nil, roleRef: RoleReference = RoleReference()
    ) {
        self.metadata = metadata
        self.subjects = subjects
        self.roleRef = roleRef
    }
}

/// Gives a role to subjects, everywhere.
public struct ClusterRoleBinding: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: RoleReference.group, version: "v1", kind: "ClusterRoleBinding", plural: "clusterrolebindings",
            namespaced: false)
    }

    @APIVersionOf<ClusterRoleBinding> public var apiVersion: String
    @KindOf<ClusterRoleBinding> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    public var subjects: [Subject]?
    @ZeroIfAbsent public var roleRef: RoleReference

    public init(
        metadata: ObjectMeta = ObjectMeta(), subjects: [Subject]? = nil, roleRef: RoleReference = RoleReference()
    ) {
        self.metadata = metadata
        self.subjects = subjects
        self.roleRef = roleRef
    }
}

/// Who a binding gives its role to.
public struct Subject: Codable, Hashable, Sendable {
    /// `User`, `Group` or `ServiceAccount`.
    @ZeroIfAbsent public var kind: String
    public var apiGroup: String?
    @ZeroIfAbsent public var name: String
    /// Of a service account.
    public var namespace: String?

    public init(kind: String = "", apiGroup: String? = nil, name: String = "", namespace: String? = nil) {
        self.kind = kind
        self.apiGroup = apiGroup
        self.name = name
        self.namespace = namespace
    }
}

/// The role a binding gives; it never changes.
public struct RoleReference: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }
    public static let group = "rbac.authorization.k8s.io"

    @ZeroIfAbsent public var apiGroup: String
    /// `Role` or `ClusterRole`.
    @ZeroIfAbsent public var kind: String
    @ZeroIfAbsent public var name: String

    public init(apiGroup: String = "", kind: String = "", name: String = "") {
        self.apiGroup = apiGroup
        self.kind = kind
        self.name = name
    }
}
