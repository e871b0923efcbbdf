import KubernetesAPI

extension PodReconciler {
    /// Carries out the rule `RestartAllContainers`: every instance is killed without grace and removed, those that set
    /// it off last, so that whoever looks next still knows. Sandbox, addresses and volumes stay; the init containers
    /// come first again.
    /// - Returns: whether it is under way.
    mutating func restartAllIfAsked() -> Bool {
        let initContainers = pod.spec.initContainers ?? []
        let isAsked = (pod.spec.containers + initContainers).contains { container in
            observation.newest(container.name).map { isCause($0, container) } ?? false
        }
        guard isAsked else { return false }
        plan.restartingAll = true
        for isSource in [false, true] {
            for container in pod.spec.containers + initContainers {
                for instance in observation.instances(of: container.name)
                where isCause(instance, container) == isSource {
                    if instance.terminated == nil { kill(instance, .restartAllContainers, 0) }
                    plan.actions.append(.remove(containerID: instance.id))
                }
            }
        }
        return true
    }

    private func isCause(_ instance: ContainerObservation, _ container: Container) -> Bool {
        instance.terminated.map { decision.restartsAll(container, exitCode: $0.exitCode) } ?? false
    }
}
