import KubernetesAPI

/// Makes the pod that a manifest on this node stands for. Pure.
enum StaticPod {
    /// Where a manifest comes from; the same text at two places defines two pods.
    enum Origin: Hashable, Sendable {
        /// By path.
        case file(String)
        case url(String)

        var source: PodSource {
            switch self {
            case .file: .file
            case .url: .http
            }
        }
    }

    /// - Parameter manifest: as written.
    /// - Returns: the pod with identity, defaults and everything a pod from the API would have got there.
    static func make(from manifest: Pod, origin: Origin, nodeName: String) -> Pod {
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
        let hash = hash(of: pod, origin: origin, nodeName: nodeName)
        pod.metadata.uid = hash
        pod.metadata.name = pod.metadata.name.map { $0.isEmpty ? $0 : "\($0)-\(nodeName.lowercased())" }
        pod.metadata.annotations = (pod.metadata.annotations ?? [:]).merging(
            [PodAnnotations.source: origin.source.rawValue, PodAnnotations.hash: hash], uniquingKeysWith: { $1 })
        pod.spec.nodeName = nodeName
        if case .file = origin {
            let tolerance = Toleration(operator: "Exists", effect: TaintEffect.noExecute.rawValue)
            if pod.spec.tolerations?.contains(tolerance) != true {
                pod.spec.tolerations = (pod.spec.tolerations ?? []) + [tolerance]
            }
        }
        pod.applyDefaults()
        pod.status = PodStatus(phase: PodPhase.pending.rawValue)
        return pod
    }

    /// What the pod refers to that only an API server could give it.
    ///
    /// ConfigMaps, Secrets and PersistentVolumeClaims are not among them: manifest files define those too.
    static func validateReferences(_ pod: PodSpec) -> [FieldError] {
        var errors: [FieldError] = []
        let path = FieldPath("spec")
        func refuse(_ isSet: Bool, _ path: FieldPath, _ what: String) {
            if isSet { errors.append(.forbidden(path, "static pods may not reference \(what)")) }
        }
        refuse(pod.serviceAccountName?.isEmpty == false, path.child("serviceAccountName"), "serviceaccounts")
        refuse(pod.resourceClaims?.isEmpty == false, path.child("resourceClaims"), "resourceclaims")
        for (index, volume) in (pod.volumes ?? []).enumerated() {
            let path = path.child("volumes").index(index)
            refuse(volume.ephemeral != nil, path.child("ephemeral"), "persistentvolumeclaims")
            for (index, source) in (volume.projected?.sources ?? []).enumerated() {
                refuse(
                    source.clusterTrustBundle != nil,
                    path.child("projected", "sources").index(index).child("clusterTrustBundle"),
                    "clustertrustbundles")
            }
        }
        return errors
    }

    /// Names the definition: the same after a restart of the agent, another one after any change of it.
    private static func hash(of pod: Pod, origin: Origin, nodeName: String) -> String {
        var hash = FNV1a128()
        // A pod always has a JSON form; should one not, its file still tells it from others.
        if let value = try? JSONValueEncoder().encode(pod) { hash.combine(value.serialized(sortedKeys: true)) }
        switch origin {
        case .file(let path):
            hash.combine("host:\(nodeName)".utf8)
            hash.combine("file:\(path)".utf8)
        case .url(let url): hash.combine("url:\(url)".utf8)
        }
        return hash.hexadecimal
    }
}
