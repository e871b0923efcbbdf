import CLinux

/// What the containers of one pod share: network, IPC and host name, pinned by bind mounts, and /dev/shm. No process of its own.
public struct PodSandbox: Hashable, Sendable {
    public let id: String
    public let podUID: String
    public let podNamespace: String
    public let podName: String
    /// One more each time the pod's sandbox had to be made anew.
    public let attempt: UInt32
    public let hostname: String
    public let hostNetwork: Bool
    /// Namespaced kernel parameters, `net.ipv4.tcp_syncookies` → `1`.
    public let sysctls: [String: String]
    /// Seconds since the epoch.
    public let createdAt: Int64
    /// `<run>/sandboxes/<id>`.
    public let directory: String

    public init(
        id: String, podUID: String, podNamespace: String, podName: String, attempt: UInt32, hostname: String,
        hostNetwork: Bool, sysctls: [String: String] = [:], createdAt: Int64 = 0, directory: String
    ) {
        self.id = id
        self.podUID = podUID
        self.podNamespace = podNamespace
        self.podName = podName
        self.attempt = attempt
        self.hostname = hostname
        self.hostNetwork = hostNetwork
        self.sysctls = sysctls
        self.createdAt = createdAt
        self.directory = directory
    }

    /// Pinned namespaces by file name and clone flag.
    var namespaces: [(name: String, type: Int32)] {
        hostNetwork ? [("ipc", CLONE_NEWIPC)] : [("net", CLONE_NEWNET), ("ipc", CLONE_NEWIPC), ("uts", CLONE_NEWUTS)]
    }

    func namespacePath(_ name: String) -> String { directory + "/" + name }

    /// The network namespace file, or nil with the host's network.
    public var networkNamespacePath: String? { hostNetwork ? nil : namespacePath("net") }

    var sharedMemoryPath: String { directory + "/shm" }
}
