import CLinux
import Glibc
import LinuxKernel

/// What ConfigMap, Secret, downward API and projected volumes share: a read-only directory kept by an ``AtomicWriter``.
struct ObjectVolume {
    enum Medium {
        case disk
        /// For content that must never reach a disk.
        case memory
    }

    let context: VolumeContext
    let medium: Medium

    /// Makes the directory if needed and brings it to the content `files` gives.
    ///
    /// When an object cannot be read now, a volume that has content keeps it: an agent that starts while the control
    /// endpoint is away must find the volumes of its running pods.
    func mount(_ files: () throws(VolumeError) -> [VolumeFile]) throws(VolumeError) -> MountedVolume {
        let directory = context.directory
        let mounted = MountedVolume(
            name: context.volumeName, hostPath: directory, isReadOnly: true,
            hasPodIDs: medium == .memory && context.ids != nil)
        let content: [VolumeFile]
        do throws(VolumeError) {
            content = try files()
        } catch {
            if error.code == .sourceUnavailable, AtomicWriter.hasContent(directory) { return mounted }
            throw error
        }
        let group = try context.groupID()
        let mode: UInt32 = group == nil ? 0o755 : 0o2755
        let owner: (userID: UInt32?, groupID: UInt32?) =
            switch medium {
            case .disk: (nil, group)
            case .memory: try context.memoryOwner(group: group)
            }
        try volumeCall { () throws(KernelError) in
            switch medium {
            case .disk: try FileSystem.makeDirectories(directory, mode: 0o750)
            case .memory:
                try MemoryFileSystem.ensure(
                    at: directory, sizeBytes: context.memoryBytes(sizeLimit: nil), mode: mode,
                    userID: owner.userID ?? 0, groupID: owner.groupID, flags: UInt(MS_NOSUID) | UInt(MS_NODEV))
            }
            if owner.userID != nil || owner.groupID != nil {
                try kernelCall("chown", directory) {
                    lchown(directory, owner.userID ?? uid_t.max, owner.groupID ?? gid_t.max)
                }
            }
            try kernelCall("chmod", directory) { chmod(directory, mode) }
        }
        try AtomicWriter(
            directory: directory, userID: owner.userID, groupID: owner.groupID, isGroupReadable: group != nil
        ).write(content)
        return mounted
    }
}
