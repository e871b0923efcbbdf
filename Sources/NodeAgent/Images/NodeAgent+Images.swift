import KubernetesAPI

extension NodeAgent {
    /// What the pods that are not over ask for as an image, of a container or a volume; nil before every source has told of its pods.
    public func imageReferences() async -> Set<String>? {
        guard hasAllSources else { return nil }
        var pods = waitingPods
        for worker in workers.values where await worker.stage == .syncing { pods.append(await worker.pod) }
        return pods.reduce(into: []) { $0.formUnion($1.spec.imageReferences) }
    }
}

extension PodSpec {
    /// Images by the names the pod gives them.
    var imageReferences: Set<String> {
        let all = (initContainers ?? []) + containers + (ephemeralContainers ?? []).map(\.container)
        return Set(all.compactMap(\.image) + (volumes ?? []).compactMap { $0.image?.reference }).filter { !$0.isEmpty }
    }
}
