import KubernetesAPI

extension PodStatusBuilder {
    /// The phase that the containers' states make, before those that were never seen to end are declared to have.
    func phase(of status: PodStatus) -> PodPhase {
        // A terminal phase is for ever.
        if let phase = pod.phase, pod.isTerminal { return phase }
        if input.failure != nil { return .failed }
        let phase = countedPhase(of: status)
        let isTerminal = phase == .succeeded || phase == .failed
        if input.isFinished {
            // A static pod may come back under the same UID.
            return isTerminal || pod.isStatic ? phase : .failed
        }
        // Something still runs, or will be started: a controller must not replace the pod yet.
        return isTerminal ? pod.phase ?? .pending : phase
    }

    private struct Counts {
        var pendingInits = 0
        var pendingSidecars = 0
        var failedInits = 0
        var running = 0
        var waiting = 0
        var stopped = 0
        var stoppedForGood = 0
        var succeeded = 0
    }

    private func countedPhase(of status: PodStatus) -> PodPhase {
        var counts = Counts()
        for (container, status) in zip(pod.spec.initContainers ?? [], status.initContainerStatuses ?? []) {
            if container.isSidecar { countSidecar(status, &counts) } else { countInit(container, status, &counts) }
        }
        for container in pod.spec.containers {
            guard let status = status.containerStatuses?.first(where: { $0.name == container.name }) else { continue }
            count(container, status, &counts)
        }
        let isInitialized = observation.isInitialized(pod, in: observation.sandboxID)
        if counts.failedInits > 0 { return .failed }
        if counts.pendingInits > 0 || (counts.pendingSidecars > 0 && !isInitialized) || counts.waiting > 0 {
            return .pending
        }
        if counts.running > 0 { return .running }
        guard counts.stopped > 0 else { return .pending }
        if counts.stopped != counts.stoppedForGood, !input.isFinished || pod.isStatic { return .running }
        return counts.stopped == counts.succeeded ? .succeeded : .failed
    }

    private func countInit(_ container: Container, _ status: ContainerStatus, _ counts: inout Counts) {
        let end = status.state?.terminated ?? (status.state?.waiting == nil ? nil : status.lastState?.terminated)
        guard let end else {
            counts.pendingInits += 1
            return
        }
        if end.initExitCode != 0, !isRestartable(container, end, end.initExitCode) { counts.failedInits += 1 }
    }

    /// Sidecars that have ended do not count: neither for nor against the pod.
    private func countSidecar(_ status: ContainerStatus, _ counts: inout Counts) {
        if status.state?.running != nil {
            counts.running += 1
            if status.started != true { counts.pendingSidecars += 1 }
        } else if status.state?.waiting != nil, status.lastState?.terminated == nil {
            counts.waiting += 1
            counts.pendingSidecars += 1
        }
    }

    private func count(_ container: Container, _ status: ContainerStatus, _ counts: inout Counts) {
        if status.state?.running != nil {
            counts.running += 1
        } else if let end = status.state?.terminated ?? status.lastState?.terminated {
            counts.stopped += 1
            if !isRestartable(container, end, end.exitCode) { counts.stoppedForGood += 1 }
            if status.state?.terminated?.exitCode == 0 { counts.succeeded += 1 }
        } else {
            counts.waiting += 1
        }
    }

    private func isRestartable(_ container: Container, _ end: ContainerStateTerminated, _ exitCode: Int32) -> Bool {
        end.reason == ContainerStateTerminated.restartingAllContainers
            || decision.restarts(container, exitCode: exitCode)
    }

    // MARK: The end

    /// At a pod's end every container that had been started has ended: one whose end nobody saw is said to have failed.
    /// Those that were never reached stay as they are.
    func endContainers(of status: inout PodStatus) {
        if hasInitialized(status) {
            for index in (status.containerStatuses ?? []).indices { end(&status.containerStatuses, index) }
        }
        let initStatuses = status.initContainerStatuses ?? []
        let reached = initStatuses.lastIndex { $0.state?.waiting == nil || $0.lastState?.terminated != nil } ?? 0
        for index in initStatuses.indices where index <= reached { end(&status.initContainerStatuses, index) }
    }

    private func end(_ statuses: inout [ContainerStatus]?, _ index: Int) {
        guard var status = statuses?[index], status.state?.terminated == nil else { return }
        status.state = ContainerState(
            terminated: ContainerStateTerminated(
                exitCode: 137, reason: ContainerStateTerminated.statusUnknown, message: Self.notLocated,
                startedAt: status.state?.running?.startedAt, containerID: status.containerID))
        status.ready = false
        status.started = false
        statuses?[index] = status
    }

    private func hasInitialized(_ status: PodStatus) -> Bool {
        guard let last = pod.spec.initContainers?.last else { return true }
        let statuses = status.containerStatuses ?? []
        if statuses.contains(where: { $0.lastState?.terminated != nil || $0.state?.waiting == nil }) { return true }
        guard let lastStatus = status.initContainerStatuses?.last else { return false }
        if last.isSidecar { return lastStatus.state?.running != nil && lastStatus.started == true }
        return lastStatus.state?.terminated?.exitCode == 0 || lastStatus.lastState?.terminated?.exitCode == 0
    }
}
