/// One bind mount a container needs: a volume, or a path inside one.
public struct VolumeMountPoint: Hashable, Sendable {
    /// How mounts made below it travel between host and container.
    public enum Propagation: String, Hashable, Sendable {
        case none = "None"
        case hostToContainer = "HostToContainer"
        /// Only for privileged containers.
        case bidirectional = "Bidirectional"
    }

    public let hostPath: String
    public let containerPath: String
    /// The target must be a file rather than a directory.
    public let isFile: Bool
    public let readOnly: Bool
    /// Read-only with everything that is mounted below.
    public let readOnlyBelow: Bool
    public let propagation: Propagation
    /// See ``MountedVolume/forbidsLinks``.
    public let forbidsLinks: Bool
    /// ``MountedVolume/hasPodIDs`` of its volume.
    public let hasPodIDs: Bool

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
