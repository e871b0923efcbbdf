import KubernetesAPI

/// Makes the pod that a manifest on this node stands for. Pure.
enum StaticPod {
    /// - Parameters:
    ///   - manifest: as written in the file.
    ///   - file: its path; two files with the same text define two pods.
    /// - Returns: the pod with identity, defaults and everything a pod from the API would have got there.
    static func make(from manifest: Pod, file: String, nodeName: String) -> Pod {
        var pod = manifest
        // Only what the author says counts: what an API server once filled in (an exported pod) does not.
        pod.metadata = ObjectMeta(
            name: manifest.metadata.name, namespace: manifest.metadata.namespace, labels: manifest.metadata.labels,
            annotations: manifest.metadata.annotations)
        for name in [PodAnnotations.source, PodAnnotations.hash, PodAnnotations.mirror] {
            pod.metadata.annotations?[name] = nil
        }
        pod.status = nil
        if pod.metadata.namespace?.isEmpty ?? true { pod.metadata.namespace = "default" }
        let hash = hash(of: pod, file: file, nodeName: nodeName)
        pod.metadata.uid = hash
        pod.metadata.name = pod.metadata.name.map { $0.isEmpty ? $0 : "\($0)-\(nodeName.lowercased())" }
        pod.metadata.annotations = (pod.metadata.annotations ?? [:]).merging(
            [PodAnnotations.source: PodSource.file.rawValue, PodAnnotations.hash: hash], uniquingKeysWith: { $1 })
        pod.spec.nodeName = nodeName
        let tolerance = Toleration(operator: "Exists", effect: TaintEffect.noExecute.rawValue)
        if pod.spec.tolerations?.contains(tolerance) != true {
            pod.spec.tolerations = (pod.spec.tolerations ?? []) + [tolerance]
        }
        pod.applyDefaults()
        pod.status = PodStatus(phase: PodPhase.pending.rawValue)
        return pod
    }

    /// Names the definition: the same after a restart of the agent, another one after any change of it.
    private static func hash(of pod: Pod, file: String, nodeName: String) -> String {
        var hash = FNV1a128()
        // A pod always has a JSON form; should one not, its file still tells it from others.
        if let value = try? JSONValueEncoder().encode(pod) { hash.combine(value.serialized(sortedKeys: true)) }
        hash.combine("host:\(nodeName)".utf8)
        hash.combine("file:\(file)".utf8)
        return hash.hexadecimal
    }
}
