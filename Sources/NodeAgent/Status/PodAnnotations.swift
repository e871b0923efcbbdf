public import KubernetesAPI

/// The annotations that tell where a pod comes from.
public enum PodAnnotations {
    /// `file` or `api`: the source the agent has the pod from.
    public static let source = "kubernetes.io/config.source"
    /// On a static pod: the hash of its definition.
    public static let hash = "kubernetes.io/config.hash"
    /// On an object in the API: it only shows the static pod with this hash.
    public static let mirror = Pod.mirrorAnnotation
}

extension Pod {
    /// Whether the pod is defined on this node; the API then has at most a mirror of it.
    public var isStatic: Bool {
        guard let source = metadata.annotations?[PodAnnotations.source] else { return false }
        return source != PodSource.api.rawValue
    }

    /// The hash of the static pod that this API object shows; nil for every other pod.
    public var mirroredHash: String? { metadata.annotations?[PodAnnotations.mirror] }
}
