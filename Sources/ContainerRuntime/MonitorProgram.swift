import CLinux
import Glibc
import LinuxKernel
import Synchronization
import SystemPackage

/// The monitor's program as it is run: through a view of its directory that nobody can write through.
///
/// A process that has entered a container is still of this program until its own replaces it, and a container can run it once more
/// by its link in /proc (`/proc/self/exe`). Such a link leads to the host's file, whose mode, owner and times root of the container
/// could change if the mount it was started from allowed it: a file that nobody may execute any more would be the end of every
/// start on the node. The view is a copy of the mount (open_tree(2)) that is read-only and attached nowhere, so that nobody can
/// make it writable again.
final class MonitorProgram: Sendable {
    /// In the child's descriptors, where the view is while the program is looked up. The monitor closes it.
    static let slot: Int32 = 7

    private static let views = Mutex<[String: MonitorProgram]>([:])

    private let tree: OwnedDescriptor
    /// Where the child finds the program. Its last component is what the process is called.
    let childPath: String

    /// Made once for each path: taking one away costs more than a whole start.
    static func at(_ path: String) throws(KernelError) -> MonitorProgram {
        let result = views.withLock { views -> Result<MonitorProgram, KernelError> in
            if let view = views[path] { return .success(view) }
            do throws(KernelError) {
                let view = try MonitorProgram(path)
                views[path] = view
                return .success(view)
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    private init(_ path: String) throws(KernelError) {
        let file = FilePath(path)
        guard let name = file.lastComponent?.string else {
            throw KernelError("open", path, errno: .noSuchFileOrDirectory)
        }
        let directory = file.removingLastComponent().string
        let flags = CLinux_OPEN_TREE_CLONE | CLinux_OPEN_TREE_CLOEXEC
        tree = OwnedDescriptor(
            owning: try kernelCall("open_tree", directory) {
                CLinux_open_tree(AT_FDCWD, directory.isEmpty ? "." : directory, flags)
            })
        let raw = tree.raw
        try kernelCall("mount_setattr", directory) {
            CLinux_mount_setattr(raw, "", CLinux_AT_EMPTY_PATH, CLinux_MOUNT_ATTR_RDONLY, 0, 0)
        }
        childPath = "/proc/self/fd/\(Self.slot)/\(name)"
    }

    var raw: Int32 { tree.raw }
}
