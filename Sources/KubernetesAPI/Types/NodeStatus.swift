/// The observed state of a ``Node``.
public struct NodeStatus: Codable, Hashable, Sendable {
    /// All the machine has, by resource name.
    public var capacity: [String: Quantity]?
    /// What pods may use of it.
    public var allocatable: [String: Quantity]?
    /// No longer used.
    public var phase: String?
    public var conditions: [NodeCondition]?
    public var addresses: [NodeAddress]?
    public var daemonEndpoints: NodeDaemonEndpoints?
    public var nodeInfo: NodeSystemInfo?
    /// The largest images on the node.
    public var images: [ContainerImage]?
    public var volumesInUse: [String]?
    public var volumesAttached: [AttachedVolume]?
    /// No longer used by any agent.
    public var config: JSONValue?
    public var runtimeHandlers: [NodeRuntimeHandler]?
    public var features: NodeFeatures?
    /// Names of features the scheduler may rely on, sorted.
    public var declaredFeatures: [String]?

    public init(
        capacity: [String: Quantity]? = nil, allocatable: [String: Quantity]? = nil, phase: String? = nil,
        conditions: [NodeCondition]? = nil, addresses: [NodeAddress]? = nil,
        daemonEndpoints: NodeDaemonEndpoints? = nil, nodeInfo: NodeSystemInfo? = nil, images: [ContainerImage]? = nil,
        volumesInUse: [String]? = nil, volumesAttached: [AttachedVolume]? = nil, config: JSONValue? = nil,
        runtimeHandlers: [NodeRuntimeHandler]? = nil, features: NodeFeatures? = nil, declaredFeatures: [String]? = nil
    ) {
        self.capacity = capacity
        self.allocatable = allocatable
        self.phase = phase
        self.conditions = conditions
        self.addresses = addresses
        self.daemonEndpoints = daemonEndpoints
        self.nodeInfo = nodeInfo
        self.images = images
        self.volumesInUse = volumesInUse
        self.volumesAttached = volumesAttached
        self.config = config
        self.runtimeHandlers = runtimeHandlers
        self.features = features
        self.declaredFeatures = declaredFeatures
    }
}

/// One aspect of a node's health.
public struct NodeCondition: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "type" }

    /// See ``NodeConditionType``.
    @ZeroIfAbsent public var type: String
    /// See ``ConditionStatus``.
    @ZeroIfAbsent public var status: String
    public var lastHeartbeatTime: Timestamp?
    public var lastTransitionTime: Timestamp?
    public var reason: String?
    public var message: String?

    public init(
        type: String = "", status: String = "", lastHeartbeatTime: Timestamp? = nil,
        lastTransitionTime: Timestamp? = nil, reason: String? = nil, message: String? = nil
    ) {
        self.type = type
        self.status = status
        self.lastHeartbeatTime = lastHeartbeatTime
        self.lastTransitionTime = lastTransitionTime
        self.reason = reason
        self.message = message
    }
}

/// The conditions every agent reports, in the order it reports them.
public enum NodeConditionType: String, CaseIterable, Sendable {
    case memoryPressure = "MemoryPressure"
    case diskPressure = "DiskPressure"
    case pidPressure = "PIDPressure"
    case networkUnavailable = "NetworkUnavailable"
    case ready = "Ready"
}

/// One address of a node.
public struct NodeAddress: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "type" }

    /// See ``NodeAddressType``.
    @ZeroIfAbsent public var type: String
    @ZeroIfAbsent public var address: String

    public init(type: String = "", address: String = "") {
        self.type = type
        self.address = address
    }
}

/// What a ``NodeAddress`` is good for.
public enum NodeAddressType: String, CaseIterable, Sendable {
    case hostName = "Hostname"
    case internalIP = "InternalIP"
    case externalIP = "ExternalIP"
    case internalDNS = "InternalDNS"
    case externalDNS = "ExternalDNS"
}

/// The ports the node's daemons listen on.
public struct NodeDaemonEndpoints: Codable, Hashable, Sendable {
    public var kubeletEndpoint: DaemonEndpoint?

    public init(kubeletEndpoint: DaemonEndpoint? = nil) {
        self.kubeletEndpoint = kubeletEndpoint
    }
}

/// One daemon's port. Its JSON field is `Port`, with a capital.
public struct DaemonEndpoint: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var port: Int32

    public init(port: Int32 = 0) {
        self.port = port
    }

    private enum CodingKeys: String, CodingKey {
        case port = "Port"
    }
}

/// What the machine and its software are.
public struct NodeSystemInfo: Codable, Hashable, Sendable {
    /// `/etc/machine-id`.
    @ZeroIfAbsent public var machineID: String
    /// The firmware's.
    @ZeroIfAbsent public var systemUUID: String
    /// Changes with every boot.
    @ZeroIfAbsent public var bootID: String
    @ZeroIfAbsent public var kernelVersion: String
    /// `PRETTY_NAME` of `/etc/os-release`.
    @ZeroIfAbsent public var osImage: String
    /// `name://version`.
    @ZeroIfAbsent public var containerRuntimeVersion: String
    /// The agent's version.
    @ZeroIfAbsent public var kubeletVersion: String
    /// Empty since Kubernetes 1.34.
    @ZeroIfAbsent public var kubeProxyVersion: String
    @ZeroIfAbsent public var operatingSystem: String
    @ZeroIfAbsent public var architecture: String
    public var swap: NodeSwapStatus?

    public init(
        machineID: String = "", systemUUID: String = "", bootID: String = "", kernelVersion: String = "",
        osImage: String = "", containerRuntimeVersion: String = "", kubeletVersion: String = "",
        kubeProxyVersion: String = "", operatingSystem: String = "", architecture: String = "",
        swap: NodeSwapStatus? = nil
    ) {
        self.machineID = machineID
        self.systemUUID = systemUUID
        self.bootID = bootID
        self.kernelVersion = kernelVersion
        self.osImage = osImage
        self.containerRuntimeVersion = containerRuntimeVersion
        self.kubeletVersion = kubeletVersion
        self.kubeProxyVersion = kubeProxyVersion
        self.operatingSystem = operatingSystem
        self.architecture = architecture
        self.swap = swap
    }
}

/// The node's swap space.
public struct NodeSwapStatus: Codable, Hashable, Sendable {
    /// Bytes.
    public var capacity: Int64?

    public init(capacity: Int64? = nil) {
        self.capacity = capacity
    }
}

/// An image present on the node.
public struct ContainerImage: Codable, Hashable, Sendable {
    /// References by digest and by tag.
    @ZeroIfAbsent public var names: [String]
    /// Bytes on disk.
    public var sizeBytes: Int64?

    public init(names: [String] = [], sizeBytes: Int64? = nil) {
        self.names = names
        self.sizeBytes = sizeBytes
    }
}

/// A volume the control plane attached to the node.
public struct AttachedVolume: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var devicePath: String

    public init(name: String = "", devicePath: String = "") {
        self.name = name
        self.devicePath = devicePath
    }
}

/// A runtime handler a RuntimeClass can name; the empty name is the default.
public struct NodeRuntimeHandler: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    public var features: NodeRuntimeHandlerFeatures?

    public init(name: String = "", features: NodeRuntimeHandlerFeatures? = nil) {
        self.name = name
        self.features = features
    }
}

/// What a runtime handler can do.
public struct NodeRuntimeHandlerFeatures: Codable, Hashable, Sendable {
    public var recursiveReadOnlyMounts: Bool?
    public var userNamespaces: Bool?

    public init(recursiveReadOnlyMounts: Bool? = nil, userNamespaces: Bool? = nil) {
        self.recursiveReadOnlyMounts = recursiveReadOnlyMounts
        self.userNamespaces = userNamespaces
    }
}

/// What the node's container runtime can do whatever the handler.
public struct NodeFeatures: Codable, Hashable, Sendable {
    public var supplementalGroupsPolicy: Bool?

    public init(supplementalGroupsPolicy: Bool? = nil) {
        self.supplementalGroupsPolicy = supplementalGroupsPolicy
    }
}
