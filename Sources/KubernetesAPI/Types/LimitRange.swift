/// Defaults and bounds of what the objects of a namespace may ask for.
public struct LimitRange: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            version: "v1", kind: "LimitRange", plural: "limitranges", shortNames: ["limits"], namespaced: true)
    }

    @APIVersionOf<LimitRange> public var apiVersion: String
    @KindOf<LimitRange> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: LimitRangeSpec

    public init(metadata: ObjectMeta = ObjectMeta(), spec: LimitRangeSpec = LimitRangeSpec()) {
        self.metadata = metadata
        self.spec = spec
    }
}

/// The bounds of a ``LimitRange``.
public struct LimitRangeSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var limits: [LimitRangeItem]?

    public init(limits: [LimitRangeItem]? = nil) { self.limits = limits }
}

/// The bounds of one kind of thing.
public struct LimitRangeItem: Codable, Hashable, Sendable {
    /// `Container`, `Pod` or `PersistentVolumeClaim`.
    @ZeroIfAbsent public var type: String
    public var max: [String: Quantity]?
    public var min: [String: Quantity]?
    /// What a container that names no limit gets; containers only.
    public var `default`: [String: Quantity]?
    /// What a container that names no request gets; containers only.
    public var defaultRequest: [String: Quantity]?
    /// How many times its request a limit may be.
    public var maxLimitRequestRatio: [String: Quantity]?

    public init(
        type: String = "", max: [String: Quantity]? = nil, min: [String: Quantity]? = nil,
        default: [String: Quantity]? = nil, defaultRequest: [String: Quantity]? = nil,
        maxLimitRequestRatio: [String: Quantity]? = nil
    ) {
        self.type = type
        self.max = max
        self.min = min
        self.default = `default`
        self.defaultRequest = defaultRequest
        self.maxLimitRequestRatio = maxLimitRequestRatio
    }
}
