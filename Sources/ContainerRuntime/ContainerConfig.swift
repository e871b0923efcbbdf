public import LinuxKernel

/// Whose container this is: with the attempt the name of its cgroup, and so of the at-most-one lock.
public struct ContainerMetadata: Hashable, Sendable {
    public var podUID: String
    public var podNamespace: String
    public var podName: String
    public var name: String
    /// 0 for the first start, one more for each restart.
    public var attempt: UInt32

    public init(podUID: String, podNamespace: String, podName: String, name: String, attempt: UInt32) {
        self.podUID = podUID
        self.podNamespace = podNamespace
        self.podName = podName
        self.name = name
        self.attempt = attempt
    }
}

/// A host path bound into a container.
public struct ContainerMount: Hashable, Sendable {
    public enum Propagation: UInt8, Hashable, Sendable {
        case none, hostToContainer, bidirectional
    }

    public var hostPath: String
    public var containerPath: String
    public var isFile: Bool
    public var readOnly: Bool
    /// Read-only with everything that is mounted below; else that stays as it is.
    public var readOnlyBelow: Bool
    public var propagation: Propagation
    /// The host path was checked as it stands: one that has a link in it by now is not mounted. Not kept on disk, as a
    /// container is launched once.
    public var forbidsLinks: Bool
    /// In a pod with a user namespace: the ids on it are the pod's already, and not mapped. Not kept on disk either.
    public var hasPodIDs: Bool

    public init(
        hostPath: String, containerPath: String, isFile: Bool = false, readOnly: Bool = false,
        readOnlyBelow: Bool = true, propagation: Propagation = .none, forbidsLinks: Bool = false,
        hasPodIDs: Bool = false
    ) {
        self.hostPath = hostPath
        self.containerPath = containerPath
        self.isFile = isFile
        self.readOnly = readOnly
        self.readOnlyBelow = readOnlyBelow
        self.propagation = propagation
        self.forbidsLinks = forbidsLinks
        self.hasPodIDs = hasPodIDs
    }
}

/// A block device that a container gets a node of.
public struct ContainerDevice: Hashable, Sendable {
    public var containerPath: String
    public var major: UInt32
    public var minor: UInt32
    /// Permission bits of the node.
    public var mode: UInt32
    public var userID: UInt32
    public var groupID: UInt32
    public var readOnly: Bool

    public init(
        containerPath: String, major: UInt32, minor: UInt32, mode: UInt32 = 0o660, userID: UInt32 = 0,
        groupID: UInt32 = 0, readOnly: Bool = false
    ) {
        self.containerPath = containerPath
        self.major = major
        self.minor = minor
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
        self.readOnly = readOnly
    }

    /// What its cgroup permits. A privileged container's permits everything.
    var rule: DeviceRule { DeviceRule(.block, major: major, minor: minor, access: readOnly ? [.read] : .all) }
}

/// setrlimit(2) values of a container; unset ones are inherited from the monitor.
public struct ResourceLimit: Hashable, Sendable {
    /// `RLIMIT_*`.
    public var resource: UInt32
    public var soft: UInt64
    public var hard: UInt64

    public init(resource: UInt32, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// Everything a container is, in the runtime's terms: no pods, no volumes, only paths and numbers.
public struct ContainerConfig: Hashable, Sendable {
    public enum Seccomp: Hashable, Sendable {
        case runtimeDefault, unconfined
        /// A file below ``RuntimeConfiguration/seccompDirectory``.
        case localhost(String)
    }

    public var sandboxID: String
    public var metadata: ContainerMetadata
    /// The reference as the user gave it, and the image's own identifier.
    public var image: String
    public var imageID: String
    /// Overlay lower directories, topmost first.
    public var rootLayers: [String]
    /// Program and arguments; the program is looked up in the environment's PATH unless it holds a slash.
    public var arguments: [String]
    /// `KEY=value`, in order.
    public var environment: [String]
    public var workingDirectory: String
    public var userID: UInt32
    public var groupID: UInt32
    public var supplementaryGroups: [UInt32]
    public var mounts: [ContainerMount]
    /// Of a privileged container every one that the runtime itself has, whatever this says.
    public var capabilities: CapabilitySet
    public var privileged: Bool
    /// Nothing of /proc and /sys is hidden or made read-only.
    public var isProcUnmasked: Bool
    public var noNewPrivileges: Bool
    public var seccomp: Seccomp
    /// The name of a loaded AppArmor profile; nil for none.
    public var appArmorProfile: String?
    public var readOnlyRoot: Bool
    public var resourceLimits: [ResourceLimit]
    public var outOfMemoryScore: Int32
    /// Below the cgroup manager's root; its parent exists.
    public var cgroupPath: String
    public var resources: CgroupResources
    /// CRI log file; its directory exists.
    public var logPath: String
    /// A running container whose PID namespace it joins; nil gives it the one its sandbox says.
    public var targetContainerID: String?
    /// Beside those that every container has. Not kept on disk, as a container is launched once.
    public var devices: [ContainerDevice] = []
    /// Its standard streams are a terminal.
    public var isTerminal = false
    /// Its standard input stays open for those who attach; else it is empty.
    public var keepsInput = false
    /// ...until the first of them has ended its own.
    public var closesInputAfterFirst = false
    /// Its monitor can be attached to: those of earlier versions could not.
    var hasAttachments = false
    /// It is no container of the pod's but holds the sandbox's PID namespace.
    public var isSandboxProcess: Bool
    /// Kept with the container for whoever asked for it; nothing the runtime reads.
    public var labels: [String: String]

    public init(
        sandboxID: String, metadata: ContainerMetadata, image: String = "", imageID: String = "",
        rootLayers: [String] = ["/"], arguments: [String], environment: [String] = [], workingDirectory: String = "/",
        userID: UInt32 = 0, groupID: UInt32 = 0, supplementaryGroups: [UInt32] = [], mounts: [ContainerMount] = [],
        capabilities: CapabilitySet = .containerDefault, privileged: Bool = false,
        isProcUnmasked: Bool = false, noNewPrivileges: Bool = false,
        seccomp: Seccomp = .runtimeDefault, appArmorProfile: String? = nil, readOnlyRoot: Bool = false,
        resourceLimits: [ResourceLimit] = [],
        outOfMemoryScore: Int32 = 0, cgroupPath: String, resources: CgroupResources = CgroupResources(),
        logPath: String, targetContainerID: String? = nil, isSandboxProcess: Bool = false,
        labels: [String: String] = [:]
    ) {
        self.sandboxID = sandboxID
        self.metadata = metadata
        self.image = image
        self.imageID = imageID
        self.rootLayers = rootLayers
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.userID = userID
        self.groupID = groupID
        self.supplementaryGroups = supplementaryGroups
        self.mounts = mounts
        self.capabilities = capabilities
        self.privileged = privileged
        self.isProcUnmasked = isProcUnmasked
        self.noNewPrivileges = noNewPrivileges
        self.seccomp = seccomp
        self.appArmorProfile = appArmorProfile
        self.readOnlyRoot = readOnlyRoot
        self.resourceLimits = resourceLimits
        self.outOfMemoryScore = outOfMemoryScore
        self.cgroupPath = cgroupPath
        self.resources = resources
        self.logPath = logPath
        self.targetContainerID = targetContainerID
        self.isSandboxProcess = isSandboxProcess
        self.labels = labels
    }
}
