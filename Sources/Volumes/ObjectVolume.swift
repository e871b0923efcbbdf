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
        let mounted = MountedVolume(name: context.volumeName, hostPath: directory, isReadOnly: true)
        let content: [VolumeFile]
        do throws(VolumeError) {
            content = try files()
        } catch {
            if error.code == .sourceUnavailable, AtomicWriter.hasContent(directory) { return mounted }
            throw error
        }
        let group = try context.groupID()
        let mode: UInt32 = group == nil ? 0o755 : 0o2755
        try volumeCall { () throws(KernelError) in
            switch medium {
            case .disk: try FileSystem.makeDirectories(directory, mode: 0o750)
            case .memory:
                try MemoryFileSystem.ensure(
                    at: directory, sizeBytes: context.memoryBytes(sizeLimit: nil), mode: mode, groupID: group,
                    flags: UInt(MS_NOSUID) | UInt(MS_NODEV))
            }
            if let group { try kernelCall("chown", directory) { lchown(directory, uid_t.max, group) } }
            try kernelCall("chmod", directory) { chmod(directory, mode) }
        }
        try AtomicWriter(directory: directory, groupID: group).write(content)
        return mounted
    }
}
