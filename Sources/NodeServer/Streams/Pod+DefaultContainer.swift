import KubernetesAPI

extension Pod {
    /// The container that is meant when nobody names one: the pod's own choice, else its first.
    var defaultContainerName: String {
        let first = spec.containers.first?.name ?? ""
        guard let chosen = metadata.annotations?["kubectl.kubernetes.io/default-container"],
            spec.containers.contains(where: { $0.name == chosen })
        else { return first }
        return chosen
    }
}
