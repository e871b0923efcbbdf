/// A volume of a pod, ready on the host.
public struct MountedVolume: Hashable, Sendable {
    /// As in `spec.volumes`.
    public let name: String
    public let hostPath: String
    /// The volume is a file, socket or device rather than a directory.
    public let isFile: Bool
    /// No container may write to it, whatever its mount says.
    public let isReadOnly: Bool
    /// ``hostPath`` was checked as it stands: a link that has since come into it must not be followed.
    public let forbidsLinks: Bool
    /// In a pod with a user namespace: its files have the pod's own host ids, and not those that are mapped to them.
    public let hasPodIDs: Bool
    /// The volume is this block device: it is not mounted, containers get a node of it.
    public let device: VolumeDeviceNode?
    /// Its files are somebody else's to keep: a server's, a driver's, an administrator's.
    public let mayHang: Bool

    public init(
        name: String, hostPath: String, isFile: Bool = false, isReadOnly: Bool = false, forbidsLinks: Bool = false,
        hasPodIDs: Bool = false, device: VolumeDeviceNode? = nil, mayHang: Bool = false
    ) {
        self.name = name
        self.hostPath = hostPath
        self.isFile = isFile
        self.isReadOnly = isReadOnly
        self.forbidsLinks = forbidsLinks
        self.hasPodIDs = hasPodIDs
        self.device = device
        self.mayHang = mayHang
    }
}
