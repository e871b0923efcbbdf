/// A scope for names.
public struct Namespace: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "Namespace", plural: "namespaces",
            singular: "namespace", shortNames: ["ns"], namespaced: false, categories: [])
    }

    @APIVersionOf<Namespace> public var apiVersion: String
    @KindOf<Namespace> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: NamespaceSpec
    public var status: NamespaceStatus?

    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: NamespaceSpec = NamespaceSpec(), status: NamespaceStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The desired state of a ``Namespace``.
public struct NamespaceSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Names that must be removed, through `finalize`, before the namespace disappears.
    public var finalizers: [String]?

    public init(finalizers: [String]? = nil) {
        self.finalizers = finalizers
    }
}

/// The observed state of a ``Namespace``.
public struct NamespaceStatus: Codable, Hashable, Sendable {
    /// `Active` or `Terminating`.
    public var phase: String?
    public var conditions: [NamespaceCondition]?

    public init(phase: String? = nil, conditions: [NamespaceCondition]? = nil) {
        self.phase = phase
        self.conditions = conditions
    }
}

/// Why the deletion of a ``Namespace`` is not finished.
public struct NamespaceCondition: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "type" }

    @ZeroIfAbsent public var type: String
    @ZeroIfAbsent public var status: String
    public var lastTransitionTime: Timestamp?
    public var reason: String?
    public var message: String?

    public init(
        type: String = "", status: String = "", lastTransitionTime: Timestamp? = nil, reason: String? = nil,
        message: String? = nil
    ) {
        self.type = type
        self.status = status
        self.lastTransitionTime = lastTransitionTime
        self.reason = reason
        self.message = message
    }
}
