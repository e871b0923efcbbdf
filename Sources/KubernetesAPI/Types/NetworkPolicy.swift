/// Whom pods may talk to.
public struct NetworkPolicy: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies",
            shortNames: ["netpol"], namespaced: true)
    }

    @APIVersionOf<NetworkPolicy> public var apiVersion: String
    @KindOf<NetworkPolicy> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: NetworkPolicySpec = NetworkPolicySpec()

    public init() {}
}

/// What a ``NetworkPolicy`` lets through.
public struct NetworkPolicySpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// The pods it is about; empty means all of the namespace.
    public var podSelector: LabelSelector?
    public var ingress: [NetworkPolicyIngressRule]?
    public var egress: [NetworkPolicyEgressRule]?
    /// `Ingress` and `Egress`: what it says something about.
    public var policyTypes: [String]?

    public init() {}
}

/// Who may come in.
public struct NetworkPolicyIngressRule: Codable, Hashable, Sendable {
    public var ports: [NetworkPolicyPort]?
    public var from: [NetworkPolicyPeer]?

    public init() {}
}

/// Where pods may go.
public struct NetworkPolicyEgressRule: Codable, Hashable, Sendable {
    public var ports: [NetworkPolicyPort]?
    public var to: [NetworkPolicyPeer]?

    public init() {}
}

/// A port, or a range of ports.
public struct NetworkPolicyPort: Codable, Hashable, Sendable {
    /// Absent means `TCP`.
    public var `protocol`: String?
    public var port: IntOrString?
    public var endPort: Int32?

    public init() {}
}

/// The other side: pods, or addresses.
public struct NetworkPolicyPeer: Codable, Hashable, Sendable {
    public var podSelector: LabelSelector?
    public var namespaceSelector: LabelSelector?
    public var ipBlock: IPBlock?

    public init() {}
}

/// Addresses, and those among them that do not count.
public struct IPBlock: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var cidr: String = ""
    public var except: [String]?

    public init() {}
}
