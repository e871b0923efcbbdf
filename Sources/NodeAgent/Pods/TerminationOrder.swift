import KubernetesAPI

/// The order in which the containers of a pod get their stop signal when the pod ends: the pod's own containers at
/// once, then the sidecars in the reverse of the order in which they were started. Pure.
struct TerminationOrder: Hashable, Sendable {
    private let predecessorsByName: [String: Set<String>]

    init(_ pod: Pod) {
        var predecessors: [String: Set<String>] = [:]
        var earlier = Set(pod.spec.containers.map(\.name))
        for sidecar in pod.spec.sidecars.reversed() {
            predecessors[sidecar.name] = earlier
            earlier.insert(sidecar.name)
        }
        predecessorsByName = predecessors
    }

    /// The containers that have to be gone before this one gets its stop signal, as long as its grace lasts. Those that
    /// do not run are not waited for. Empty for all but sidecars.
    func predecessors(of container: String) -> Set<String> { predecessorsByName[container] ?? [] }
}
