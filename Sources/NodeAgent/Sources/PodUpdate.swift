public import KubernetesAPI

/// Where a pod's definition comes from. The raw value is that of the annotation `kubernetes.io/config.source`.
public enum PodSource: String, Hashable, Sendable, CaseIterable {
    /// A manifest file on this node.
    case file
    /// A document this node gets from a URL.
    case http
    /// The control endpoint.
    case api
}

/// What a source of pods tells, in order.
public enum PodUpdate: Sendable {
    /// The source has told every pod it has; from now on a pod not told does not exist there. Told once.
    case snapshotComplete(source: PodSource)
    /// A new pod or a new version of one.
    case applied(Pod, source: PodSource)
    /// The pod is no longer desired; its last known version.
    case removed(Pod, source: PodSource)
}
