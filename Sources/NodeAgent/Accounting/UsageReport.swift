public import ContainerRuntime
public import KubernetesAPI
public import LinuxKernel

/// What the node, its pods and their containers use, read from the kernel at one moment.
public struct UsageReport: Sendable {
    /// How much is read.
    public enum Scope: Sendable {
        /// CPU time and memory: what autoscaling and `kubectl top` compare.
        case cpuAndMemory
        case everything
    }

    public struct ContainerEntry: Sendable {
        public var instance: ContainerInstance
        public var usage: CgroupUsage
        public var startedAt: Timestamp
        public var disk: EphemeralStorageUsage.Container?

        public init(
            instance: ContainerInstance, usage: CgroupUsage, startedAt: Timestamp,
            disk: EphemeralStorageUsage.Container? = nil
        ) {
            self.instance = instance
            self.usage = usage
            self.startedAt = startedAt
            self.disk = disk
        }
    }

    public struct PodEntry: Sendable {
        public var uid: String
        public var namespace: String
        public var name: String
        public var labels: [String: String]
        /// Below the node's root.
        public var cgroupPath: String
        public var startedAt: Timestamp?
        public var usage: CgroupUsage
        /// By name.
        public var containers: [ContainerEntry]
        /// As the pod sees its interface; nil with the host's network, whose traffic is nobody's alone.
        public var network: NetworkInterfaceCounters?
        public var sandboxID: String?
        public var disk: EphemeralStorageUsage?

        public init(
            uid: String, namespace: String, name: String, labels: [String: String] = [:], cgroupPath: String,
            startedAt: Timestamp? = nil, usage: CgroupUsage, containers: [ContainerEntry] = [],
            network: NetworkInterfaceCounters? = nil, sandboxID: String? = nil, disk: EphemeralStorageUsage? = nil
        ) {
            self.uid = uid
            self.namespace = namespace
            self.name = name
            self.labels = labels
            self.cgroupPath = cgroupPath
            self.startedAt = startedAt
            self.usage = usage
            self.containers = containers
            self.network = network
            self.sandboxID = sandboxID
            self.disk = disk
        }

        /// Of its containers together.
        public var processCount: UInt64? {
            let counts = containers.compactMap(\.usage.processCount)
            return counts.count == containers.count ? counts.reduce(0, +) : nil
        }
    }

    /// A cgroup that holds pods: `kubepods` and the QoS classes below it.
    public struct GroupEntry: Sendable {
        public var cgroupPath: String
        public var usage: CgroupUsage

        public init(cgroupPath: String, usage: CgroupUsage) {
            self.cgroupPath = cgroupPath
            self.usage = usage
        }
    }

    public var time: Timestamp
    public var scope: Scope
    public var node: NodeUsage
    public var groups: [GroupEntry]
    /// By namespace and name.
    public var pods: [PodEntry]

    public init(
        time: Timestamp, scope: Scope = .everything, node: NodeUsage = NodeUsage(),
        groups: [GroupEntry] = [], pods: [PodEntry] = []
    ) {
        self.time = time
        self.scope = scope
        self.node = node
        self.groups = groups
        self.pods = pods
    }
}
