import KubernetesAPI

extension PodStatusBuilder {
    func addConditions(to status: inout PodStatus) {
        let isTerminal = Self.isTerminal(status)
        let isReadyToStart = observation.sandboxID != nil && input.volumesMounted && !isTerminal
        set(.podReadyToStartContainers, isReadyToStart, in: &status)
        addInitialized(to: &status)
        addReady(to: &status)
        set(.podScheduled, true, in: &status)
        if decision.couldRestartAll { addRestarting(to: &status) }
        addResize(to: &status)
        if let failure = input.failure, failure.isDisruption {
            set(
                .disruptionTarget, true, reason: "TerminationByKubelet",
                message: failure.conditionMessage ?? failure.message, in: &status)
        }
    }

    /// Both are there only while there is something to tell.
    private func addResize(to status: inout PodStatus) {
        let resize = input.resize
        if let pending = resize.pending, !Self.isTerminal(status) {
            set(.podResizePending, true, reason: pending.reason, message: pending.message, in: &status)
        } else {
            status.removeCondition(.podResizePending)
        }
        if resize.isInProgress, !Self.isTerminal(status) {
            let reason = resize.failure == nil ? nil : "Error"
            set(.podResizeInProgress, true, reason: reason, message: resize.failure, in: &status)
        } else {
            status.removeCondition(.podResizeInProgress)
        }
    }

    /// Once true it stays so: a sidecar that restarts, or all containers that do, do not take it back.
    private func addInitialized(to status: inout PodStatus) {
        if status.phase == PodPhase.succeeded.rawValue {
            set(.initialized, true, reason: "PodCompleted", in: &status)
            return
        }
        let incomplete = zip(pod.spec.initContainers ?? [], status.initContainerStatuses ?? [])
            .filter { container, status in !(container.isSidecar ? status.started == true : status.ready) }
            .map(\.1.name)
        let hasStarted = status.containerStatuses?.contains { $0.state?.waiting == nil } == true
        if incomplete.isEmpty || hasStarted || previous.isTrue(.initialized) {
            set(.initialized, true, in: &status)
        } else {
            set(
                .initialized, false, reason: "ContainersNotInitialized",
                message: "containers with incomplete status: [\(incomplete.joined(separator: " "))]", in: &status)
        }
    }

    /// The pod's own containers and its sidecars; Ready also needs every readiness gate, a condition that somebody else
    /// sets.
    private func addReady(to status: inout PodStatus) {
        if Self.isTerminal(status) {
            set(.containersReady, false, reason: terminalReason(status), in: &status)
            set(.ready, false, reason: terminalReason(status), in: &status)
            return
        }
        let statuses = (status.initContainerStatuses ?? []) + (status.containerStatuses ?? [])
        let ready = Set(statuses.filter(\.ready).map(\.name))
        let unready = (pod.spec.sidecars + pod.spec.containers).map(\.name).filter { !ready.contains($0) }
        if !unready.isEmpty {
            let message = "containers with unready status: [\(unready.joined(separator: " "))]"
            set(.containersReady, false, reason: "ContainersNotReady", message: message, in: &status)
            set(.ready, false, reason: "ContainersNotReady", message: message, in: &status)
            return
        }
        set(.containersReady, true, in: &status)
        let closed = (pod.spec.readinessGates ?? []).map(\.conditionType).compactMap { type -> String? in
            guard let condition = status.conditions?.first(where: { $0.type == type }) else {
                return "corresponding condition of pod readiness gate \"\(type)\" does not exist."
            }
            if condition.status == ConditionStatus.true.rawValue { return nil }
            return "the status of pod readiness gate \"\(type)\" is not \"True\", but \(condition.status)"
        }
        if closed.isEmpty {
            set(.ready, true, in: &status)
        } else {
            set(
                .ready, false, reason: "ReadinessGatesNotReady", message: closed.joined(separator: ", "), in: &status)
        }
    }

    /// Only on pods with a rule that can restart all containers.
    private func addRestarting(to status: inout PodStatus) {
        if Self.isTerminal(status) {
            set(.allContainersRestarting, false, reason: terminalReason(status), in: &status)
        } else if input.restartingAll {
            set(
                .allContainersRestarting, true, reason: "RestartAllContainersStarted",
                message: "container exited with restart policy rule", in: &status)
        } else {
            set(.allContainersRestarting, false, in: &status)
        }
    }

    private static func isTerminal(_ status: PodStatus) -> Bool {
        status.phase == PodPhase.succeeded.rawValue || status.phase == PodPhase.failed.rawValue
    }

    private func terminalReason(_ status: PodStatus) -> String {
        status.phase == PodPhase.succeeded.rawValue ? "PodCompleted" : "PodFailed"
    }

    private func set(
        _ type: PodConditionType, _ value: Bool, reason: String? = nil, message: String? = nil,
        in status: inout PodStatus
    ) {
        status.setCondition(
            PodCondition(
                type: type.rawValue, observedGeneration: pod.metadata.generation,
                status: (value ? ConditionStatus.true : .false).rawValue,
                lastTransitionTime: input.now.wholeSeconds, reason: reason, message: message))
    }
}
