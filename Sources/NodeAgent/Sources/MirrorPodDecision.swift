import KubernetesAPI

/// What to do about one static pod and the object that shows it in the API. Pure.
enum MirrorPodDecision: Hashable, Sendable {
    /// The API shows what runs, or nothing should be shown.
    case none
    case create(Pod)
    /// The mirror shows something else, or is being deleted by somebody; it comes back afterwards if still wanted.
    case delete(Pod)

    /// - Parameters:
    ///   - staticPod: the pod as this node runs it; nil when no file defines it any more.
    ///   - mirror: what the API has under its name.
    ///   - isComplete: every file has been read: only then a mirror without a pod is known to be an orphan.
    ///   - node: this node's name and UID in the API; nil until it is registered.
    static func decide(
        staticPod: Pod?, mirror: Pod?, isComplete: Bool, node: (name: String, uid: String)?
    ) -> MirrorPodDecision {
        guard let staticPod else {
            guard let mirror, isComplete else { return .none }
            return .delete(mirror)
        }
        guard let mirror else { return node.map { .create(make(staticPod, node: $0)) } ?? .none }
        let isCurrent = mirror.mirroredHash == staticPod.metadata.annotations?[PodAnnotations.hash]
        return isCurrent && mirror.metadata.deletionTimestamp == nil ? .none : .delete(mirror)
    }

    /// The object to create: the static pod, marked, and owned by the node.
    private static func make(_ pod: Pod, node: (name: String, uid: String)) -> Pod {
        let hash = pod.metadata.annotations?[PodAnnotations.hash] ?? pod.metadata.uid ?? ""
        var annotations = pod.metadata.annotations ?? [:]
        annotations[PodAnnotations.mirror] = hash
        return Pod(
            metadata: ObjectMeta(
                name: pod.metadata.name, namespace: pod.metadata.namespace, labels: pod.metadata.labels,
                annotations: annotations,
                ownerReferences: [
                    OwnerReference(
                        apiVersion: Node.definition.apiVersion, kind: Node.definition.kind, name: node.name,
                        uid: node.uid, controller: true)
                ]),
            spec: pod.spec)
    }
}
