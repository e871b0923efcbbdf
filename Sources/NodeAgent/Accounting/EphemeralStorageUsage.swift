public import KubernetesAPI
public import LinuxKernel

/// What one pod takes of the node's disks: what its containers wrote, their logs, its emptyDir volumes on disk, and the files the
/// node gives it that it can write to.
public struct EphemeralStorageUsage: Hashable, Sendable {
    public struct Container: Hashable, Sendable {
        /// What it wrote to its root, by all of its instances that are still there.
        public var writableLayer: DiskUsage
        /// Old ones and those of earlier instances included.
        public var logs: DiskUsage

        public init(writableLayer: DiskUsage = DiskUsage(), logs: DiskUsage = DiskUsage()) {
            self.writableLayer = writableLayer
            self.logs = logs
        }

        public var total: DiskUsage { writableLayer + logs }
    }

    /// A volume that is not part of the pod's share of the disk: it has a size of its own, or outlives the pod.
    public struct Mounted: Hashable, Sendable {
        public var fileSystem: FileSystemUsage
        /// The persistent volume claim it is of.
        public var claim: String?

        public init(fileSystem: FileSystemUsage, claim: String? = nil) {
            self.fileSystem = fileSystem
            self.claim = claim
        }
    }

    public var containers: [String: Container]
    /// emptyDir volumes that are not in memory, by name.
    public var volumes: [String: DiskUsage]
    /// /etc/hosts, /etc/resolv.conf and the termination messages.
    public var files: DiskUsage
    /// emptyDir volumes in memory and claims, by the volume's name. They count for no limit.
    public var mounted: [String: Mounted]
    /// When it was measured; nil when nobody says.
    public var time: Timestamp?

    public init(
        containers: [String: Container] = [:], volumes: [String: DiskUsage] = [:], files: DiskUsage = DiskUsage(),
        mounted: [String: Mounted] = [:], time: Timestamp? = nil
    ) {
        self.containers = containers
        self.volumes = volumes
        self.files = files
        self.mounted = mounted
        self.time = time
    }

    public var total: DiskUsage {
        (containers.values.map(\.total) + volumes.values).reduce(files, +)
    }
}
