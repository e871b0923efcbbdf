import KubernetesAPI

extension NodeAgent {
    /// What is known of a pod that is, or was, on this node; nil when there is none of that name.
    public func why(namespace: String, pod name: String) async -> WhyReport? {
        if let pod = await pods().first(where: { $0.metadata.namespace == namespace && $0.metadata.name == name }) {
            let uid = pod.metadata.uid ?? ""
            return WhyReport(
                pod, timeline: await timelines.entries(of: uid), nextTries: timelines.nextTries(of: uid), now: .now())
        }
        return timelines.gone(namespace: namespace, name: name).map { WhyReport($0, now: .now()) }
    }

    /// `namespace/name` of pods that somebody who asked for this one may have meant, the likeliest first.
    public func podNames(near name: String, namespace: String) async -> [String] {
        let known =
            await pods().map { ($0.metadata.namespace ?? "", $0.metadata.name ?? "") }
            + timelines.gone.map { ($0.namespace, $0.name) }
        return NearNames.of(name, namespace: namespace, among: known)
    }
}
