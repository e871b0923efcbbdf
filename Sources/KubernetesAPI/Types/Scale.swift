/// How many copies a workload runs: read and written as `<kind>/<name>/scale`.
public struct Scale: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(group: "autoscaling", version: "v1", kind: "Scale", plural: "scales", namespaced: true)
    }

    @APIVersionOf<Scale> public var apiVersion: String
    @KindOf<Scale> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: ScaleSpec
    public var status: ScaleStatus?

    public init(metadata: ObjectMeta = ObjectMeta(), spec: ScaleSpec = ScaleSpec(), status: ScaleStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The wanted number of a ``Scale``.
public struct ScaleSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var replicas: Int32?

    public init(replicas: Int32? = nil) { self.replicas = replicas }
}

/// The observed number of a ``Scale``.
public struct ScaleStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var replicas: Int32
    /// The label selector of the pods, in text form.
    public var selector: String?

    public init(replicas: Int32 = 0, selector: String? = nil) {
        self.replicas = replicas
        self.selector = selector
    }
}
