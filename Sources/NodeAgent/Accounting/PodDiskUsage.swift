/// What a pod keeps on disk, by part.
public struct PodDiskUsage: Hashable, Sendable {
    public struct Amount: Hashable, Sendable {
        public var bytes: UInt64
        public var inodes: UInt64

        public init(bytes: UInt64, inodes: UInt64) {
            self.bytes = bytes
            self.inodes = inodes
        }

        public static func + (left: Amount, right: Amount) -> Amount {
            Amount(bytes: left.bytes &+ right.bytes, inodes: left.inodes &+ right.inodes)
        }
    }

    public struct ContainerAmounts: Hashable, Sendable {
        /// The writable layer.
        public var root: Amount?
        public var logs: Amount?

        public init(root: Amount? = nil, logs: Amount? = nil) {
            self.root = root
            self.logs = logs
        }
    }

    /// By container name.
    public var containers: [String: ContainerAmounts]
    /// By volume name; those that are files of this node.
    public var volumes: [String: Amount]

    public init(containers: [String: ContainerAmounts] = [:], volumes: [String: Amount] = [:]) {
        self.containers = containers
        self.volumes = volumes
    }

    /// All that counts against the pod's ephemeral storage.
    public var total: Amount {
        var total = volumes.values.reduce(Amount(bytes: 0, inodes: 0), +)
        for container in containers.values {
            for amount in [container.root, container.logs].compactMap({ $0 }) { total = total + amount }
        }
        return total
    }
}
