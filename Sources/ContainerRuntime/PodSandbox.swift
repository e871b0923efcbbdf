import CLinux
public import LinuxKernel

/// Whose processes a container sees.
public enum ProcessNamespace: UInt8, Hashable, Sendable {
    /// Only its own.
    case container
    /// Those of all containers of its pod.
    case pod
    /// Those of the host.
    case host
}

/// What the containers of one pod share: network, IPC and host name, pinned by bind mounts, and /dev/shm. A process of its own,
/// which is a container to the runtime, has only one whose containers share their PID namespace.
public struct PodSandbox: Hashable, Sendable {
    public let id: String
    public let podUID: String
    public let podNamespace: String
    public let podName: String
    /// One more each time the pod's sandbox had to be made anew.
    public let attempt: UInt32
    public let hostname: String
    public let hostNetwork: Bool
    public let hostIPC: Bool
    public let processNamespace: ProcessNamespace
    /// Namespaced kernel parameters, `net.ipv4.tcp_syncookies` → `1`.
    public let sysctls: [String: String]
    /// Host ids of the pod's own user namespace; nil with the host's.
    public let ids: IDRange?
    /// What its maker wants to find with it again.
    public let labels: [String: String]
    /// Seconds since the epoch.
    public let createdAt: Int64
    /// `<run>/sandboxes/<id>`.
    public let directory: String

    public init(
        id: String, podUID: String, podNamespace: String, podName: String, attempt: UInt32, hostname: String,
        hostNetwork: Bool, hostIPC: Bool = false, processNamespace: ProcessNamespace = .container,
        sysctls: [String: String] = [:], ids: IDRange? = nil, labels: [String: String] = [:],
        createdAt: Int64 = 0, directory: String
    ) {
        self.id = id
        self.podUID = podUID
        self.podNamespace = podNamespace
        self.podName = podName
        self.attempt = attempt
        self.hostname = hostname
        self.hostNetwork = hostNetwork
        self.hostIPC = hostIPC
        self.processNamespace = processNamespace
        self.sysctls = sysctls
        self.ids = ids
        self.labels = labels
        self.createdAt = createdAt
        self.directory = directory
    }

    /// Pinned namespaces by file name and clone flag, in the order to enter them: the one that owns the others first.
    var namespaces: [(name: String, type: Int32)] { (ids == nil ? [] : [Self.userNamespace]) + ownedNamespaces }

    /// What the pod's user namespace owns, when it has one.
    var ownedNamespaces: [(name: String, type: Int32)] {
        let network = hostNetwork ? [] : [("net", CLONE_NEWNET)]
        return network + (hostIPC ? [] : [("ipc", CLONE_NEWIPC)]) + (hostNetwork ? [] : [("uts", CLONE_NEWUTS)])
    }

    private static let userNamespace = (name: "user", type: CLONE_NEWUSER)

    var userNamespacePath: String { namespacePath(Self.userNamespace.name) }

    func namespacePath(_ name: String) -> String { directory + "/" + name }

    /// Whether all of them are there, given at least the mount points below ``directory``.
    func isPinned(at mountPoints: Set<String>) -> Bool {
        namespaces.allSatisfy { mountPoints.contains(namespacePath($0.name)) }
    }

    /// The network namespace file, or nil with the host's network.
    public var networkNamespacePath: String? { hostNetwork ? nil : namespacePath("net") }

    /// What the containers have as /dev/shm.
    var sharedMemoryPath: String { hostIPC ? "/dev/shm" : ownSharedMemoryPath }

    /// The sandbox's own, mounted unless it uses the host's.
    var ownSharedMemoryPath: String { directory + "/shm" }

    /// An empty directory: all that the sandbox's process has as its root.
    var emptyDirectory: String { directory + "/root" }

    /// Exists once the sandbox was stopped.
    var stoppedMark: String { directory + "/stopped" }

    /// Exists once the pod's kernel parameters are set.
    var sysctlsMark: String { directory + "/sysctls" }
}
