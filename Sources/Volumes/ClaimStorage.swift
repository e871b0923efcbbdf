public import KubernetesAPI

/// Where the files of a persistent volume claim are.
public enum ClaimStorage: Hashable, Sendable {
    /// In a directory of the node's own, made when a pod first uses the claim. The node never removes it: it outlives
    /// pods, restarts, reboots, edits of manifests and the claim itself (a reclaim policy of `Retain`), and a claim of
    /// that name finds it again.
    case directory
    /// At a path of the host, under the node's policy for the pod that uses it.
    ///
    /// - Parameter field: where the path was given, for messages: `persistentvolume "disk": spec.hostPath`.
    case hostPath(HostPathVolumeSource, field: String)
    /// Nowhere, and why: pods that use the claim wait.
    case unbound(String)
}
