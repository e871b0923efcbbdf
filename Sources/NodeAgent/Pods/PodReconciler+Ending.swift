import KubernetesAPI

extension PodReconciler {
    /// Why the pod has come to its end, if it has; what then still runs does not keep it alive.
    var endReason: KillReason? {
        if isLostForGood { return .sandboxLost }
        if hasFailedInitialization { return .initializationFailed }
        return pod.spec.containers.allSatisfy(isOver) ? .onlySidecarsLeft : nil
    }

    /// Ends sidecars, the last one first, after everything else; then the pod is finished.
    mutating func stopWhatIsLeft(_ reason: KillReason) {
        let order = Dictionary(
            pod.spec.sidecars.enumerated().map { ($1.name, $0 + 1) }, uniquingKeysWith: { first, _ in first })
        let left = alive.enumerated().sorted { one, other in
            // Of the same rank: as they were found.
            let ranks = (order[one.element.name] ?? .max, order[other.element.name] ?? .max)
            return ranks.0 == ranks.1 ? one.offset < other.offset : ranks.0 > ranks.1
        }
        for (_, instance) in left { kill(instance, reason) }
        plan.isFinished = left.isEmpty
    }

    /// Whether one of the pod's own containers has run to an end that is its last.
    ///
    /// Of an instance that is gone, the status tells: it ended as was reported, or in a way nobody saw.
    func isOver(_ container: Container) -> Bool {
        if let newest = observation.newest(container.name) {
            guard let end = newest.terminated, newest.definitionHash == container.definitionHash else { return false }
            // The node has ended it to give it other resources.
            if ResizePlanner.needsRestart(container, newest) { return false }
            return !decision.restarts(container, exitCode: end.exitCode)
        }
        guard let exitCode = reportedExitCode(container.name) else { return false }
        return !decision.restarts(container, exitCode: exitCode)
    }

    private func reportedExitCode(_ name: String) -> Int32? {
        // While all containers are restarted, each is started again, however it ended.
        guard pod.status?.isTrue(.allContainersRestarting) != true, let status = reported(name) else { return nil }
        if status.state?.running != nil { return 137 }
        guard let end = status.state?.terminated ?? status.lastState?.terminated,
            end.reason != ContainerStateTerminated.restartingAllContainers
        else { return nil }
        return end.exitCode
    }

    /// A pod that never restarts is not run again in a new sandbox, once anything of it ran in the one it lost.
    private var isLostForGood: Bool {
        guard observation.sandboxID == nil, pod.spec.restartPolicy == RestartPolicy.never.rawValue,
            pod.status?.isTrue(.allContainersRestarting) != true
        else { return false }
        let statuses = (pod.status?.containerStatuses ?? []) + (pod.status?.initContainerStatuses ?? [])
        // All containers were about to be started again, by a rule that is above the policy.
        if statuses.contains(where: \.isRestartingAll) { return false }
        return !observation.containers.isEmpty || firstAttempts.values.contains { $0 > 0 }
            || statuses.contains(where: \.hasRun)
    }

    /// An init container failed, and neither its own rules nor a policy let it try again.
    private var hasFailedInitialization: Bool {
        (pod.spec.initContainers ?? []).contains { container in
            guard !container.isSidecar, let newest = observation.newest(container.name), let end = newest.terminated,
                end.initExitCode != 0, !observation.isInitialized(pod, in: newest.sandboxID)
            else { return false }
            return !decision.restarts(container, exitCode: end.initExitCode)
        }
    }
}
