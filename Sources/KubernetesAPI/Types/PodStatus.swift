/// The observed state of a ``Pod``, as its node reports it.
public struct PodStatus: Codable, Hashable, Sendable {
    /// The `metadata.generation` this status is about.
    public var observedGeneration: Int64?
    /// See ``PodPhase``.
    public var phase: String?
    public var conditions: [PodCondition]?
    public var message: String?
    /// Why the pod failed, such as `Evicted` or `DeadlineExceeded`.
    public var reason: String?
    public var nominatedNodeName: String?
    public var hostIP: String?
    public var hostIPs: [HostIP]?
    /// Equals the first of `podIPs`.
    public var podIP: String?
    public var podIPs: [PodIP]?
    /// When the node first saw the pod.
    public var startTime: Timestamp?
    public var initContainerStatuses: [ContainerStatus]?
    public var containerStatuses: [ContainerStatus]?
    /// See ``PodQOSClass``.
    public var qosClass: String?
    public var ephemeralContainerStatuses: [ContainerStatus]?
    /// Superseded by the conditions `PodResizePending` and `PodResizeInProgress`.
    public var resize: String?
    public var resourceClaimStatuses: [PodResourceClaimStatus]?
    public var extendedResourceClaimStatus: PodExtendedResourceClaimStatus?
    /// Pod-level resources the node set aside.
    public var allocatedResources: [String: Quantity]?
    /// Pod-level resources in force.
    public var resources: ResourceRequirements?
    public var nodeAllocatableResourceClaimStatuses: [NodeAllocatableResourceClaimStatus]?

    public init(
        observedGeneration: Int64? = nil, phase: String? = nil, conditions: [PodCondition]? = nil,
        message: String? = nil, reason: String? = nil, nominatedNodeName: String? = nil, hostIP: String? = nil,
        hostIPs: [HostIP]? = nil, podIP: String? = nil, podIPs: [PodIP]? = nil, startTime: Timestamp? = nil,
        initContainerStatuses: [ContainerStatus]? = nil, containerStatuses: [ContainerStatus]? = nil,
        qosClass: String? = nil, ephemeralContainerStatuses: [ContainerStatus]? = nil, resize: String? = nil,
        resourceClaimStatuses: [PodResourceClaimStatus]? = nil,
        extendedResourceClaimStatus: PodExtendedResourceClaimStatus? = nil,
        allocatedResources: [String: Quantity]? = nil, resources: ResourceRequirements? = nil,
        nodeAllocatableResourceClaimStatuses: [NodeAllocatableResourceClaimStatus]? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.phase = phase
        self.conditions = conditions
        self.message = message
        self.reason = reason
        self.nominatedNodeName = nominatedNodeName
        self.hostIP = hostIP
        self.hostIPs = hostIPs
        self.podIP = podIP
        self.podIPs = podIPs
        self.startTime = startTime
        self.initContainerStatuses = initContainerStatuses
        self.containerStatuses = containerStatuses
        self.qosClass = qosClass
        self.ephemeralContainerStatuses = ephemeralContainerStatuses
        self.resize = resize
        self.resourceClaimStatuses = resourceClaimStatuses
        self.extendedResourceClaimStatus = extendedResourceClaimStatus
        self.allocatedResources = allocatedResources
        self.resources = resources
        self.nodeAllocatableResourceClaimStatuses = nodeAllocatableResourceClaimStatuses
    }
}

/// One aspect of a pod's state.
public struct PodCondition: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "type" }

    /// See ``PodConditionType``.
    @ZeroIfAbsent public var type: String
    public var observedGeneration: Int64?
    /// See ``ConditionStatus``.
    @ZeroIfAbsent public var status: String
    public var lastProbeTime: Timestamp?
    public var lastTransitionTime: Timestamp?
    public var reason: String?
    public var message: String?

    public init(
        type: String = "", observedGeneration: Int64? = nil, status: String = "", lastProbeTime: Timestamp? = nil,
        lastTransitionTime: Timestamp? = nil, reason: String? = nil, message: String? = nil
    ) {
        self.type = type
        self.observedGeneration = observedGeneration
        self.status = status
        self.lastProbeTime = lastProbeTime
        self.lastTransitionTime = lastTransitionTime
        self.reason = reason
        self.message = message
    }
}

/// One address of a pod.
public struct PodIP: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "ip" }

    @ZeroIfAbsent public var ip: String

    public init(ip: String = "") {
        self.ip = ip
    }
}

/// One address of the pod's node.
public struct HostIP: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "ip" }

    @ZeroIfAbsent public var ip: String

    public init(ip: String = "") {
        self.ip = ip
    }
}

/// The claim made for one of the pod's `resourceClaims`.
public struct PodResourceClaimStatus: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String
    public var resourceClaimName: String?

    public init(name: String = "", resourceClaimName: String? = nil) {
        self.name = name
        self.resourceClaimName = resourceClaimName
    }
}

/// The claim made for the pod's extended resources.
public struct PodExtendedResourceClaimStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var requestMappings: [ContainerExtendedResourceRequest]
    @ZeroIfAbsent public var resourceClaimName: String

    public init(requestMappings: [ContainerExtendedResourceRequest] = [], resourceClaimName: String = "") {
        self.requestMappings = requestMappings
        self.resourceClaimName = resourceClaimName
    }
}

/// Which request of a claim stands for which resource of a container.
public struct ContainerExtendedResourceRequest: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var containerName: String
    @ZeroIfAbsent public var resourceName: String
    @ZeroIfAbsent public var requestName: String

    public init(containerName: String = "", resourceName: String = "", requestName: String = "") {
        self.containerName = containerName
        self.resourceName = resourceName
        self.requestName = requestName
    }
}

/// What a claim takes of the node's own resources.
public struct NodeAllocatableResourceClaimStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var resourceClaimName: String
    public var containers: [String]?
    @ZeroIfAbsent public var resources: [String: Quantity]

    public init(resourceClaimName: String = "", containers: [String]? = nil, resources: [String: Quantity] = [:]) {
        self.resourceClaimName = resourceClaimName
        self.containers = containers
        self.resources = resources
    }
}

/// Where a pod is in its life.
public enum PodPhase: String, CaseIterable, Sendable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
    case unknown = "Unknown"
}

/// The conditions the scheduler and the node agent own.
public enum PodConditionType: String, CaseIterable, Sendable {
    case podScheduled = "PodScheduled"
    case podReadyToStartContainers = "PodReadyToStartContainers"
    case initialized = "Initialized"
    case containersReady = "ContainersReady"
    case ready = "Ready"
    case disruptionTarget = "DisruptionTarget"
    case podResizePending = "PodResizePending"
    case podResizeInProgress = "PodResizeInProgress"
    case allContainersRestarting = "AllContainersRestarting"
}
