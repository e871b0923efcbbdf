import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Takes a pod's volumes away, whatever state an earlier attempt, or a killed agent, left them in: first everything
/// mounted below, deepest first, then what is stored. It needs no pod specification.
///
/// Containers may have left links and mounts of their own. Mount points are opened without following any link and
/// unmounted by descriptor, so that no exchange of a directory turns the call against another mount of the host.
struct PodTeardown {
    /// A container that keeps mounting while its pod is taken away gets an error in the end, not an endless loop.
    private static let maximumRounds = 16

    let stateDirectory: String
    let podUID: String
    /// Also the rest of the pod's directory: what other parts of the agent keep there.
    let removesEverything: Bool

    func run() throws(VolumeError) {
        try volumeCall { () throws(KernelError) in try takeAway() }
    }

    private func takeAway() throws(KernelError) {
        guard FileSystem.exists(stateDirectory + "/" + podUID) else { return }
        let state = try OwnedDescriptor.open(stateDirectory, O_RDONLY | O_DIRECTORY)
        let pod = try state.open(podUID, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        // Mountinfo shows paths without links.
        let path = try pod.canonicalPath()
        try unmountAll(below: path, in: pod)
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

    private func unmountAll(below path: String, in pod: borrowing OwnedDescriptor) throws(KernelError) {
        for _ in 0..<Self.maximumRounds {
            let points = try Mount.points(below: path).filter { $0 != path }
            if points.isEmpty { return }
            for point in points { try unmount(String(point.dropFirst(path.count + 1)), in: pod) }
        }
        throw KernelError("umount", path, errno: .resourceBusy)
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
