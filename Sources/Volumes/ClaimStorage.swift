public import KubernetesAPI

/// Where the files of a persistent volume claim are.
public enum ClaimStorage: Hashable, Sendable {
    /// In a directory of the node's own, made when a pod first uses the claim. The node never removes it: it outlives
    /// pods, restarts, reboots, edits of manifests and the claim itself (a reclaim policy of `Retain`), and a claim of
    /// that name finds it again.
    case directory
    /// In the directory of a volume of the API's that this node makes when a pod first uses it, and removes when its claim is gone
    /// and the volume says so.
    case provisioned(String)
    /// At a path of the host, under the node's policy for the pod that uses it.
    ///
    /// - Parameter field: where the path was given, for messages: `persistentvolume "disk": spec.hostPath`.
    case hostPath(HostPathVolumeSource, field: String)
    /// In a directory of the host's that is there already, such as where a disk is mounted; under the same policy.
    case local(String, field: String)
    /// It is a block device of the host's (`volumeMode: Block`): containers get the device, not files.
    ///
    /// - Parameter path: leads to the device, through links or not; under the same policy.
    case device(String, field: String)
    /// A storage driver of this node makes it.
    case driver(DriverVolume)
    /// Another machine exports it.
    case network(NetworkExport)
    /// The claim was made for the pod of this UID, and ends with it.
    indirect case made(forPodUID: String, ClaimStorage)
    /// Nowhere, and why: pods that use the claim wait.
    case unbound(String)
}
