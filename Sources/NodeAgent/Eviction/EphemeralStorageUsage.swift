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

    public var containers: [String: Container]
    /// emptyDir volumes that are not in memory, by name.
    public var volumes: [String: DiskUsage]
    /// /etc/hosts, /etc/resolv.conf and the termination messages.
    public var files: DiskUsage

    public init(
        containers: [String: Container] = [:], volumes: [String: DiskUsage] = [:], files: DiskUsage = DiskUsage()
    ) {
        self.containers = containers
        self.volumes = volumes
        self.files = files
    }

    public var total: DiskUsage {
        (containers.values.map(\.total) + volumes.values).reduce(files, +)
    }
}
