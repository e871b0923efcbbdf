/// The identity and bookkeeping every Kubernetes object carries under `metadata`.
public struct ObjectMeta: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Unique within the namespace and kind; a DNS-1123 subdomain for most kinds.
    public var name: String?
    /// Prefix the server completes with a random suffix when `name` is absent.
    public var generateName: String?
    /// The namespace the object lives in; absent for cluster-scoped kinds.
    public var namespace: String?
    /// Legacy; never filled in by current servers.
    public var selfLink: String?
    /// Set by the server, unique over time: a recreated object of the same name gets another one.
    public var uid: String?
    /// Opaque store version, used for optimistic locking and for watches.
    public var resourceVersion: String?
    /// Counts changes of the desired state; the server bumps it.
    public var generation: Int64?
    /// When the server stored the object, in seconds.
    public var creationTimestamp: Timestamp?
    /// When graceful deletion ends at the latest; its presence means the object is terminating.
    public var deletionTimestamp: Timestamp?
    /// The grace period, in seconds, the deletion was accepted with.
    public var deletionGracePeriodSeconds: Int64?
    public var labels: [String: String]?
    public var annotations: [String: String]?
    /// Objects this one depends on; it is collected when all are gone.
    public var ownerReferences: [OwnerReference]?
    /// Names that must be removed before the object disappears. Merged as a set of strings.
    public var finalizers: [String]?
    public var managedFields: [ManagedFieldsEntry]?

    public init(
        name: String? = nil, generateName: String? = nil, namespace: String? = nil, selfLink: String? = nil,
        uid: String? = nil, resourceVersion: String? = nil, generation: Int64? = nil,
        creationTimestamp: Timestamp? = nil, deletionTimestamp: Timestamp? = nil,
        deletionGracePeriodSeconds: Int64? = nil, labels: [String: String]? = nil,
        annotations: [String: String]? = nil, ownerReferences: [OwnerReference]? = nil, finalizers: [String]? = nil,
        managedFields: [ManagedFieldsEntry]? = nil
    ) {
        self.name = name
        self.generateName = generateName
        self.namespace = namespace
        self.selfLink = selfLink
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.generation = generation
        self.creationTimestamp = creationTimestamp
        self.deletionTimestamp = deletionTimestamp
        self.deletionGracePeriodSeconds = deletionGracePeriodSeconds
        self.labels = labels
        self.annotations = annotations
        self.ownerReferences = ownerReferences
        self.finalizers = finalizers
        self.managedFields = managedFields
    }
}
