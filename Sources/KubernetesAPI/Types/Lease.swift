/// A heartbeat or lock record (coordination.k8s.io/v1). A node renews one to show that it lives.
public struct Lease: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases",
            singular: "lease", shortNames: [], namespaced: true, categories: [])
    }

    @APIVersionOf<Lease> public var apiVersion: String
    @KindOf<Lease> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: LeaseSpec

    public init(metadata: ObjectMeta = ObjectMeta(), spec: LeaseSpec = LeaseSpec()) {
        self.metadata = metadata
        self.spec = spec
    }
}

/// Who holds a ``Lease`` and until when.
public struct LeaseSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var holderIdentity: String?
    /// Seconds after `renewTime` at which others may take the lease.
    public var leaseDurationSeconds: Int32?
    public var acquireTime: MicroTimestamp?
    public var renewTime: MicroTimestamp?
    /// How often the holder changed.
    public var leaseTransitions: Int32?
    /// Coordinated leader election only.
    public var strategy: String?
    /// Coordinated leader election only.
    public var preferredHolder: String?

    public init(
        holderIdentity: String? = nil, leaseDurationSeconds: Int32? = nil, acquireTime: MicroTimestamp? = nil,
        renewTime: MicroTimestamp? = nil, leaseTransitions: Int32? = nil, strategy: String? = nil,
        preferredHolder: String? = nil
    ) {
        self.holderIdentity = holderIdentity
        self.leaseDurationSeconds = leaseDurationSeconds
        self.acquireTime = acquireTime
        self.renewTime = renewTime
        self.leaseTransitions = leaseTransitions
        self.strategy = strategy
        self.preferredHolder = preferredHolder
    }
}
