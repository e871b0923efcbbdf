import KubernetesAPI

extension PodReconciler {
    /// Plans the next attempt of a container, or to wait: for the delay after a crash, or for what blocks it.
    ///
    /// - Parameter newest: the instance before, in whatever sandbox.
    /// - Returns: whether it is started now.
    @discardableResult
    mutating func launch(
        _ container: Container, after newest: ContainerObservation?, in sandboxID: String
    ) -> Bool {
        if hasCrashed(container, newest, in: sandboxID), let wait = crashDelay(container) {
            hold(container.name, wait)
            return false
        }
        if let blocker = blockers[container.name], blocker.until.map({ $0 > now }) ?? true {
            hold(container.name, blocker)
            return false
        }
        if let newest, case .created = newest.state {
            // It never ran its program and will not: a new attempt takes its place, and two must not exist.
            kill(newest, .neverStarted, 0)
            plan.actions.append(.remove(containerID: newest.id))
        }
        plan.actions.append(.start(container: container.name, attempt: nextAttempt(container.name, after: newest)))
        return true
    }

    /// Whether the instance before ended by itself. In another sandbox it went down with that: no fault of its own. One
    /// that is gone although its end was seen was removed to restart all containers, and may be the cause of that.
    private func hasCrashed(
        _ container: Container, _ newest: ContainerObservation?, in sandboxID: String
    ) -> Bool {
        guard let newest else { return exitSeenAt[container.name] != nil }
        return newest.terminated != nil && newest.sandboxID == sandboxID
    }

    private func crashDelay(_ container: Container) -> Blocker? {
        let key = Self.backOffKey(pod, container)
        guard let until = backOff.blockedUntil(key, failedAt: exitSeenAt[container.name], now: now) else { return nil }
        let podName = "\(pod.metadata.name ?? "")_\(pod.metadata.namespace ?? "")(\(pod.metadata.uid ?? ""))"
        let delay = Self.text(backOff.delay(key).components.seconds)
        return Blocker(
            reason: "CrashLoopBackOff",
            message: "back-off \(delay) restarting failed container=\(container.name) pod=\(podName)", until: until)
    }

    private mutating func hold(_ name: String, _ blocker: Blocker) {
        plan.waiting[name] = blocker
        if let until = blocker.until { plan.wakeAt = min(plan.wakeAt ?? until, until) }
    }

    /// Above every attempt there ever was: of the records, of the log files, of what was reported.
    private func nextAttempt(_ name: String, after newest: ContainerObservation?) -> UInt32 {
        let floor = firstAttempts[name] ?? 0
        guard let newest else { return max(floor, reported(name)?.nextAttempt ?? 0) }
        let (next, overflow) = newest.attempt.addingReportingOverflow(1)
        return max(floor, overflow ? newest.attempt : next)
    }

    /// What this node last said of a container.
    func reported(_ name: String) -> ContainerStatus? {
        let status = pod.status
        let lists = [status?.containerStatuses, status?.initContainerStatuses, status?.ephemeralContainerStatuses]
        return lists.lazy.compactMap { $0?.first { $0.name == name } }.first
    }

    /// `10s`, `2m40s`: as Go prints a duration.
    static func text(_ seconds: Int64) -> String {
        seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
    }
}

extension ContainerStatus {
    /// Whether an instance of it ever ran, as far as this status tells.
    var hasRun: Bool { state?.running != nil || state?.terminated != nil || lastState?.terminated != nil }

    /// Whether it was removed to restart all containers and has not been started since.
    var isRestartingAll: Bool {
        state?.waiting != nil && lastState?.terminated?.reason == ContainerStateTerminated.restartingAllContainers
    }

    /// The first attempt that is not taken, when no instance of it is left.
    var nextAttempt: UInt32 {
        let count = UInt32(clamping: restartCount)
        // An instance that was lost, or removed to restart all containers, has been counted already.
        let counted = [ContainerStateTerminated.statusUnknown, ContainerStateTerminated.restartingAllContainers]
        if state?.waiting != nil, let reason = lastState?.terminated?.reason, counted.contains(reason) { return count }
        return hasRun || containerID != nil ? UInt32(clamping: Int64(restartCount) + 1) : count
    }
}
