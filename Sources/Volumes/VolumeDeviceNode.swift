import CLinux
import Glibc
import LinuxKernel

/// A block device of the host's that is a volume.
public struct VolumeDeviceNode: Hashable, Sendable {
    public let major: UInt32
    public let minor: UInt32
    /// Permission bits and owners of the host's node.
    public let mode: UInt32
    public let userID: UInt32
    public let groupID: UInt32

    public init(major: UInt32, minor: UInt32, mode: UInt32, userID: UInt32 = 0, groupID: UInt32 = 0) {
        self.major = major
        self.minor = minor
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
    }
}

/// A device node that a container gets.
public struct ContainerDevicePoint: Hashable, Sendable {
    /// Absolute, without `..`.
    public let containerPath: String
    public let node: VolumeDeviceNode
    public let readOnly: Bool

    public init(containerPath: String, node: VolumeDeviceNode, readOnly: Bool) {
        self.containerPath = containerPath
        self.node = node
        self.readOnly = readOnly
    }
}

extension MountedVolume {
    /// The block device at ``hostPath``, which was checked as it stands: a link that has come into it meanwhile is refused.
    func asDevice() throws(VolumeError) -> MountedVolume {
        let status = try volumeCall { () throws(KernelError) in
            try OwnedDescriptor.open(hostPath, O_PATH | O_NOFOLLOW, resolve: CLinux_RESOLVE_NO_SYMLINKS).status()
        }
        guard status.st_mode & S_IFMT == S_IFBLK else {
            throw VolumeError(.hostPathCheckFailed, "hostPath type check failed: \(hostPath) is not a block device")
        }
        // The kernel's numbers have 12 and 20 bits (makedev(3)).
        let node = VolumeDeviceNode(
            major: UInt32(truncatingIfNeeded: status.st_rdev >> 8) & 0xfff,
            minor: UInt32(truncatingIfNeeded: status.st_rdev & 0xff)
                | UInt32(truncatingIfNeeded: status.st_rdev >> 12) & 0xfff00,
            mode: status.st_mode & 0o777, userID: status.st_uid, groupID: status.st_gid)
        return MountedVolume(
            name: name, hostPath: hostPath, isFile: true, isReadOnly: isReadOnly, forbidsLinks: true, device: node)
    }
}
