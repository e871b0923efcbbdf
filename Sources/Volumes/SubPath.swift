import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// A path inside a volume, bound to a place of the agent's own that the runtime can then mount by name.
///
/// Containers may change the volume while this runs. So the path is resolved once, to a descriptor, without ever
/// leaving the volume, and what that descriptor stands for is what gets bound: names are never looked at a second time.
struct SubPath {
    let volumeDirectory: String
    /// See ``MountedVolume/forbidsLinks``.
    var forbidsLinks = false
    let path: VolumePath
    /// Below the pod's `volume-subpaths`.
    let target: String
    /// ``MountedVolume/hasPodIDs`` of the volume.
    var hasPodIDs = false

    /// Makes the directory when the path does not exist, and binds it. True when it is a file rather than a directory.
    func bind() throws(VolumeError) -> Bool {
        do throws(KernelError) {
            let volume =
                forbidsLinks
                ? try OwnedDescriptor.open(
                    volumeDirectory, O_PATH | O_DIRECTORY, resolve: CLinux_RESOLVE_NO_SYMLINKS)
                : try OwnedDescriptor.open(volumeDirectory, O_PATH | O_DIRECTORY)
            let source = try open(in: volume)
            return try bind(source)
        } catch let error where error.errno == .improperLink || error.errno == .tooManySymbolicLinkLevels {
            throw VolumeError(
                .unsafePath, "subPath \"\(path.text)\" leads through a link that leaves the volume", cause: error)
        } catch {
            throw VolumeError(.kernel, "subPath \"\(path.text)\": \(error)", cause: error)
        }
    }

    private func open(in volume: borrowing OwnedDescriptor) throws(KernelError) -> OwnedDescriptor {
        let text = path.text.isEmpty ? "." : path.text
        do {
            return try volume.openBeneath(text, O_PATH)
        } catch let error where error.errno == .noSuchFileOrDirectory {
            do throws(KernelError) { try makeDirectories(in: volume) } catch let failure
                where failure.errno == .readOnlyFileSystem
            {
                // What is not in a volume that nobody can write to is not made.
                throw error
            }
            return try volume.openBeneath(text, O_PATH)
        }
    }

    /// Directories made for a subPath are as the volume's own is.
    private func makeDirectories(in volume: borrowing OwnedDescriptor) throws(KernelError) {
        let status = try volume.status()
        let mode = status.st_mode & 0o7777
        for depth in path.components.indices {
            let name = path.components[depth]
            let parentPath = path.components[..<depth].joined(separator: "/")
            let parent = try volume.openBeneath(parentPath.isEmpty ? "." : parentPath, O_PATH | O_DIRECTORY)
            if mkdirat(parent.raw, name, 0o700) != 0 {
                let failure = KernelError.last("mkdirat", path.text)
                if failure.errno != .fileExists { throw failure }
                continue
            }
            // Past the umask. If someone exchanged the directory meanwhile, it is one of the same volume.
            let made = try parent.openBeneath(
                name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, resolve: CLinux_RESOLVE_NO_SYMLINKS)
            if hasPodIDs { try kernelCall("fchown", path.text) { fchown(made.raw, status.st_uid, status.st_gid) } }
            try kernelCall("fchmod", path.text) { fchmod(made.raw, mode) }
        }
    }

    private func bind(_ source: borrowing OwnedDescriptor) throws(KernelError) -> Bool {
        let wanted = try source.status()
        let isFile = wanted.st_mode & S_IFMT != S_IFDIR
        var present = stat()
        if lstat(target, &present) == 0 {
            // Bound by an earlier start of the container, or before the agent was restarted.
            if present.st_dev == wanted.st_dev && present.st_ino == wanted.st_ino { return isFile }
            while try Mount.unmount(target) {}
            try FileSystem.removeTree(target)
        }
        if isFile {
            try FileSystem.makeDirectories(target.splitAtLastSlash.parent, mode: 0o750)
            _ = try OwnedDescriptor.open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        } else {
            try FileSystem.makeDirectories(target, mode: 0o750)
        }
        let tree = OwnedDescriptor(
            owning: try kernelCall("open_tree", path.text) {
                CLinux_open_tree(
                    source.raw, "",
                    CLinux_OPEN_TREE_CLONE | CLinux_OPEN_TREE_CLOEXEC | CLinux_AT_EMPTY_PATH)
            })
        try kernelCall("move_mount", target) {
            CLinux_move_mount(tree.raw, "", AT_FDCWD, target, CLinux_MOVE_MOUNT_F_EMPTY_PATH)
        }
        return isFile
    }
}
