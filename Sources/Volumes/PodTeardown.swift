import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Takes a pod's volumes away, whatever state an earlier attempt, or a killed agent, left them in: first everything
/// mounted below, then what is stored. It needs no pod specification.
///
/// Containers may have left links and mounts of their own. Mount points are opened without following any link and
/// unmounted by descriptor, so that no exchange of a directory turns the call against another mount of the host.
///
/// A server or driver that is gone holds up none of it: nothing looks into a mount that may hang, and another process unmounts it.
struct PodTeardown {
    /// A container that keeps mounting while its pod is taken away gets an error in the end, not an endless loop.
    static let maximumRounds = 16

    let stateDirectory: String
    let podUID: String
    /// Also the rest of the pod's directory: what other parts of the agent keep there.
    let removesEverything: Bool
    /// Somebody else unmounts what may hang.
    var hasHelper = false

    /// What is left to the helper.
    struct Rest: Sendable {
        /// The pod's directory.
        var directory: String
        /// Relative to it.
        var points: [String]
    }

    /// Unmounts everything but what may hang, and gives that; nil when nothing is left.
    func unmountAll() throws(VolumeError) -> Rest? {
        try volumeCall { () throws(KernelError) in
            guard let pod = try open() else { return nil }
            // Mountinfo shows paths without links.
            let path = try pod.canonicalPath()
            for _ in 0..<Self.maximumRounds {
                let plan = Self.plan(try Mount.all(below: path), of: path, hasHelper: hasHelper)
                if plan.own.isEmpty {
                    return plan.foreign.isEmpty ? nil : Rest(directory: path, points: plan.foreign)
                }
                for point in plan.own { try unmount(point, in: pod) }
            }
            throw KernelError("umount", path, errno: .resourceBusy)
        }
    }

    /// Removes what is stored; what is mounted there is gone.
    func remove() throws(VolumeError) {
        try volumeCall { () throws(KernelError) in try takeAway() }
    }

    /// Mount points of a pod, relative to its directory.
    struct Plan: Hashable {
        var own: [String] = []
        var foreign: [String] = []
    }

    /// File systems that the node itself keeps, in memory or on its disks. A look into all others, and the end of the last mount of
    /// one, may wait for somebody else.
    private static let ownTypes: Set<String> = [
        "btrfs", "cgroup", "cgroup2", "devpts", "devtmpfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "hugetlbfs",
        "mqueue", "overlay", "proc", "ramfs", "squashfs", "sysfs", "tmpfs", "xfs",
    ]

    /// Pure. Only what lies in no other mount: all that is mounted below it goes with it, and so the way to it leads through none.
    static func plan(_ entries: [Mount.Entry], of directory: String, hasHelper: Bool) -> Plan {
        let entries = entries.filter { $0.point != directory }
        let points = Set(entries.map(\.point))
        func top(_ point: String) -> String {
            var top = point
            var parent = point.splitAtLastSlash.parent
            while parent.utf8.count > directory.utf8.count {
                if points.contains(parent) { top = parent }
                parent = parent.splitAtLastSlash.parent
            }
            return top
        }
        let foreign = hasHelper ? Set(entries.filter { !ownTypes.contains($0.type) }.map { top($0.point) }) : []
        var plan = Plan()
        // One of them for each of several mounts at one point.
        for entry in entries where top(entry.point) == entry.point {
            let relative = String(entry.point.dropFirst(directory.count + 1))
            if foreign.contains(entry.point) { plan.foreign.append(relative) } else { plan.own.append(relative) }
        }
        return plan
    }

    private func open() throws(KernelError) -> OwnedDescriptor? {
        guard FileSystem.exists(stateDirectory + "/" + podUID) else { return nil }
        let state = try OwnedDescriptor.open(stateDirectory, O_RDONLY | O_DIRECTORY)
        return try state.open(podUID, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    private func takeAway() throws(KernelError) {
        guard let pod = try open() else { return }
        let state = try OwnedDescriptor.open(stateDirectory, O_RDONLY | O_DIRECTORY)
        let path = try pod.canonicalPath()
        if removesEverything {
            try TreeRemoval.remove(podUID, in: state, path: path)
            return
        }
        // Bindings into the volumes before the volumes.
        for name in ["volume-subpaths", "volumes"] {
            try TreeRemoval.remove(name, in: pod, path: path + "/" + name)
        }
        if unlinkat(state.raw, podUID, AT_REMOVEDIR) != 0 {
            let failure = KernelError.last("rmdir", path)
            guard failure.errno == .directoryNotEmpty || failure.errno == .noSuchFileOrDirectory else { throw failure }
        }
    }

    private func unmount(_ point: String, in pod: borrowing OwnedDescriptor) throws(KernelError) {
        do {
            let target = try pod.openBeneath(point, O_PATH, resolve: CLinux_RESOLVE_NO_SYMLINKS)
            // Detached: a process that still holds a file in it must not keep the pod from going away.
            let descriptor = "/proc/self/fd/\(target.raw)"
            try kernelCall("umount", point) { umount2(descriptor, Int32(MNT_DETACH)) }
        } catch let error where error.errno == .invalidArgument || error.errno == .noSuchFileOrDirectory {
            // Gone with another one, or moved: the next round looks again.
        }
    }
}
