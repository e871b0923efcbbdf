import Glibc
import KubernetesAPI
import LinuxKernel

extension VolumeContext {
    /// Gives a volume that outlives its pods to the pod's `fsGroup`, once for each pod: whoever runs in the pod may then change owners
    /// and modes, and finds them so after the agent was restarted.
    ///
    /// - Parameter path: the volume's directory, free of links.
    func giveToGroup(_ path: String) throws(VolumeError) {
        guard let group = try groupID() else { return }
        let name = pod.spec.securityContext?.fsGroupChangePolicy ?? GroupOwnership.ChangePolicy.always.rawValue
        guard let policy = GroupOwnership.ChangePolicy(rawValue: name) else {
            throw VolumeError(
                .invalid,
                "spec.securityContext.fsGroupChangePolicy \"\(name)\" is not known: use Always or OnRootMismatch")
        }
        let (parent, volume) = directory.splitAtLastSlash
        let mark = "\(parent)/.\(volume).group"
        try volumeCall { () throws(KernelError) in
            if FileSystem.exists(mark), try FileSystem.readText(mark, limit: 64) == "\(group)" { return }
            try GroupOwnership.give(path, to: group, policy: policy)
            try FileSystem.makeDirectories(parent, mode: 0o750)
            try FileSystem.writeAtomically(mark, Array("\(group)".utf8), durable: false)
        }
    }
}
