/// What a driver of volumes can do.
public struct CSIDriver: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "storage.k8s.io", version: "v1", kind: "CSIDriver", plural: "csidrivers", namespaced: false)
    }

    @APIVersionOf<CSIDriver> public var apiVersion: String
    @KindOf<CSIDriver> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: CSIDriverSpec = CSIDriverSpec()

    public init() {}
}

/// The properties of a ``CSIDriver``.
public struct CSIDriverSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var attachRequired: Bool?
    public var podInfoOnMount: Bool?
    /// `Persistent` and `Ephemeral`.
    public var volumeLifecycleModes: [String]?
    public var storageCapacity: Bool?
    /// `ReadWriteOnceWithFSType`, `File` or `None`.
    public var fsGroupPolicy: String?
    public var tokenRequests: [CSITokenRequest]?
    public var requiresRepublish: Bool?
    public var seLinuxMount: Bool?
    /// Seconds between two looks at how many volumes a node takes.
    public var nodeAllocatableUpdatePeriodSeconds: Int64?
    public var serviceAccountTokenInSecrets: Bool?

    public init() {}
}

/// A token that the driver wants of the pod.
public struct CSITokenRequest: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var audience: String = ""
    public var expirationSeconds: Int64?

    public init() {}
}

/// The drivers of one node.
public struct CSINode: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "storage.k8s.io", version: "v1", kind: "CSINode", plural: "csinodes", namespaced: false)
    }

    @APIVersionOf<CSINode> public var apiVersion: String
    @KindOf<CSINode> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: CSINodeSpec = CSINodeSpec()

    public init() {}
}

/// What is known of the drivers of a ``CSINode``.
public struct CSINodeSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    @ZeroIfAbsent public var drivers: [CSINodeDriver] = []

    public init() {}
}

/// One driver on a node.
public struct CSINodeDriver: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String = ""
    @ZeroIfAbsent public var nodeID: String = ""
    public var topologyKeys: [String]?
    public var allocatable: VolumeNodeResources?

    public init() {}
}

/// How many volumes of a driver a node takes.
public struct VolumeNodeResources: Codable, Hashable, Sendable {
    public var count: Int32?

    public init() {}
}
