/// The observed state of one container.
public struct ContainerStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    public var state: ContainerState?
    /// How the instance before this one ended.
    public var lastState: ContainerState?
    @ZeroIfAbsent public var ready: Bool
    @ZeroIfAbsent public var restartCount: Int32
    /// The image's name as the runtime resolved it.
    @ZeroIfAbsent public var image: String
    /// The image by digest.
    @ZeroIfAbsent public var imageID: String
    /// `runtime://id`.
    public var containerID: String?
    /// True once the startup probe, if any, succeeded.
    public var started: Bool?
    /// What the node set aside.
    public var allocatedResources: [String: Quantity]?
    /// What is in force in the kernel.
    public var resources: ResourceRequirements?
    public var volumeMounts: [VolumeMountStatus]?
    public var user: ContainerUser?
    public var allocatedResourcesStatus: [ResourceStatus]?
    public var stopSignal: String?

    public init(
        name: String = "", state: ContainerState? = nil, lastState: ContainerState? = nil, ready: Bool = false,
        restartCount: Int32 = 0, image: String = "", imageID: String = "", containerID: String? = nil,
        started: Bool? = nil, allocatedResources: [String: Quantity]? = nil, resources: ResourceRequirements? = nil,
        volumeMounts: [VolumeMountStatus]? = nil, user: ContainerUser? = nil,
        allocatedResourcesStatus: [ResourceStatus]? = nil, stopSignal: String? = nil
    ) {
        self.name = name
        self.state = state
        self.lastState = lastState
        self.ready = ready
        self.restartCount = restartCount
        self.image = image
        self.imageID = imageID
        self.containerID = containerID
        self.started = started
        self.allocatedResources = allocatedResources
        self.resources = resources
        self.volumeMounts = volumeMounts
        self.user = user
        self.allocatedResourcesStatus = allocatedResourcesStatus
        self.stopSignal = stopSignal
    }
}

/// What a container is doing. Exactly one is set.
public struct ContainerState: Codable, Hashable, Sendable {
    public var waiting: ContainerStateWaiting?
    public var running: ContainerStateRunning?
    @IndirectIfPresent public var terminated: ContainerStateTerminated?

    public init(
        waiting: ContainerStateWaiting? = nil, running: ContainerStateRunning? = nil,
        terminated: ContainerStateTerminated? = nil
    ) {
        self.waiting = waiting
        self.running = running
        self.terminated = terminated
    }
}

/// Not running yet, or not running again yet.
public struct ContainerStateWaiting: Codable, Hashable, Sendable {
    public var reason: String?
    public var message: String?

    public init(reason: String? = nil, message: String? = nil) {
        self.reason = reason
        self.message = message
    }
}

/// Running.
public struct ContainerStateRunning: Codable, Hashable, Sendable {
    public var startedAt: Timestamp?

    public init(startedAt: Timestamp? = nil) {
        self.startedAt = startedAt
    }
}

/// Ended.
public struct ContainerStateTerminated: Codable, Hashable, Sendable {
    /// 128 + signal when a signal ended it.
    @ZeroIfAbsent public var exitCode: Int32
    public var signal: Int32?
    /// `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, `ContainerStatusUnknown`, …
    public var reason: String?
    /// The termination message.
    public var message: String?
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?
    public var containerID: String?

    public init(
        exitCode: Int32 = 0, signal: Int32? = nil, reason: String? = nil, message: String? = nil,
        startedAt: Timestamp? = nil, finishedAt: Timestamp? = nil, containerID: String? = nil
    ) {
        self.exitCode = exitCode
        self.signal = signal
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.containerID = containerID
    }

    /// Its times as the API tells them.
    public var wholeSeconds: ContainerStateTerminated {
        var copy = self
        copy.startedAt = startedAt?.wholeSeconds
        copy.finishedAt = finishedAt?.wholeSeconds
        return copy
    }
}

/// A volume as it is mounted.
public struct VolumeMountStatus: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "mountPath" }

    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var mountPath: String
    public var readOnly: Bool?
    public var recursiveReadOnly: String?
    public var volumeStatus: VolumeStatus?

    public init(
        name: String = "", mountPath: String = "", readOnly: Bool? = nil, recursiveReadOnly: String? = nil,
        volumeStatus: VolumeStatus? = nil
    ) {
        self.name = name
        self.mountPath = mountPath
        self.readOnly = readOnly
        self.recursiveReadOnly = recursiveReadOnly
        self.volumeStatus = volumeStatus
    }
}

/// What is known of the volume behind a mount.
public struct VolumeStatus: Codable, Hashable, Sendable {
    public var image: ImageVolumeStatus?

    public init(image: ImageVolumeStatus? = nil) {
        self.image = image
    }
}

/// The image behind an image volume.
public struct ImageVolumeStatus: Codable, Hashable, Sendable {
    /// By digest.
    @ZeroIfAbsent public var imageRef: String

    public init(imageRef: String = "") {
        self.imageRef = imageRef
    }
}

/// The identity the container's first process runs with.
public struct ContainerUser: Codable, Hashable, Sendable {
    public var linux: LinuxContainerUser?

    public init(linux: LinuxContainerUser? = nil) {
        self.linux = linux
    }
}

/// uid, gid and groups.
public struct LinuxContainerUser: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var uid: Int64
    @ZeroIfAbsent public var gid: Int64
    public var supplementalGroups: [Int64]?

    public init(uid: Int64 = 0, gid: Int64 = 0, supplementalGroups: [Int64]? = nil) {
        self.uid = uid
        self.gid = gid
        self.supplementalGroups = supplementalGroups
    }
}

/// The health of a resource given to a container.
public struct ResourceStatus: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String
    public var resources: [ResourceHealth]?

    public init(name: String = "", resources: [ResourceHealth]? = nil) {
        self.name = name
        self.resources = resources
    }
}

/// The health of one device.
public struct ResourceHealth: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var resourceID: String
    /// `Healthy`, `Unhealthy` or `Unknown`.
    public var health: String?
    public var message: String?

    public init(resourceID: String = "", health: String? = nil, message: String? = nil) {
        self.resourceID = resourceID
        self.health = health
        self.message = message
    }
}
