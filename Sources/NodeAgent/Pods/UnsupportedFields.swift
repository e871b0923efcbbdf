import KubernetesAPI

/// Fields of a pod that this version does not carry out. A pod that asks for one is refused with its name: a probe,
/// hook or setting that is silently ignored would be a promise broken later.
enum UnsupportedFields {
    static func find(in pod: Pod) -> [String] {
        var found: [String] = []
        let spec = pod.spec
        func refuse(_ condition: Bool, _ path: String) { if condition { found.append(path) } }
        for (index, container) in (spec.initContainers ?? []).enumerated() {
            check(container, "spec.initContainers[\(index)]", spec, &found)
        }
        for (index, container) in spec.containers.enumerated() {
            check(container, "spec.containers[\(index)]", spec, &found)
        }
        refuse(spec.runtimeClassName?.isEmpty == false, "spec.runtimeClassName")
        refuse(spec.resourceClaims?.isEmpty == false, "spec.resourceClaims")
        refuse(spec.securityContext?.seLinuxOptions != nil, "spec.securityContext.seLinuxOptions")
        return found
    }

    /// What a container that was added for debugging asks for in vain. Only that container is refused: the pod goes on.
    static func find(in ephemeral: EphemeralContainer, of pod: Pod) -> [String] {
        var found: [String] = []
        check(ephemeral.container, "spec.ephemeralContainers[\(ephemeral.name)]", pod.spec, &found)
        return found
    }

    private static func check(_ container: Container, _ path: String, _ spec: PodSpec, _ found: inout [String]) {
        func refuse(_ condition: Bool, _ field: String) { if condition { found.append(path + "." + field) } }
        // With the host's network every port is the host's already.
        let hasHostPort = container.ports?.contains { ($0.hostPort ?? 0) != 0 } == true
        refuse(hasHostPort && spec.hostNetwork != true, "ports[].hostPort")
        refuse(container.securityContext?.seLinuxOptions != nil, "securityContext.seLinuxOptions")
    }
}
