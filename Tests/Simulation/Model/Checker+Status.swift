import KubernetesAPI

/// Rules about what the API is told.
extension Checker {
    private static let order = ["Pending": 0, "Running": 1, "Succeeded": 2, "Failed": 2]

    func statusWritten(_ pod: Pod, over old: PodStatus, intendedUID: String?) {
        let uid = pod.metadata.uid ?? ""
        expect(intendedUID == uid, "I7", uid, "a status meant for \(intendedUID ?? "-") was written to it")
        guard let ledger = ledgers[uid], let new = pod.status else { return }
        if ledger.firstStatusAt == nil {
            let start = clockHasJumped ? nil : new.startTime?.since(World.epoch)
            ledger.firstStatusAt = min(now, start ?? now)
        }
        checkPhase(ledger, old, new)
        if let before = old.startTime {
            expect(new.startTime == before, "I7", uid, "the start time changed")
        }
        expect(
            (new.observedGeneration ?? 0) >= (old.observedGeneration ?? 0), "I7", uid, "observedGeneration went back")
        for status in Self.statuses(new) {
            let before = Self.statuses(old).first { $0.name == status.name }
            expect(
                status.restartCount >= before?.restartCount ?? 0, "I7", "\(uid)/\(status.name)",
                "restart count went back from \(before?.restartCount ?? 0) to \(status.restartCount)")
            checkExits(ledger, status)
        }
        checkReadiness(ledger, old, new)
        ledger.status = new
    }

    static func statuses(_ status: PodStatus) -> [ContainerStatus] {
        (status.initContainerStatuses ?? []) + (status.containerStatuses ?? [])
    }

    private func checkPhase(_ ledger: PodLedger, _ old: PodStatus, _ new: PodStatus) {
        let (before, after) = (old.phase ?? "Pending", new.phase ?? "Pending")
        let (rankBefore, rankAfter) = (Self.order[before] ?? 0, Self.order[after] ?? 0)
        // A new sandbox runs the init containers again: back from Running to Pending is legal then.
        expect(rankBefore < 2 || before == after, "I7", ledger.uid, "phase went from \(before) to \(after)")
        if rankAfter == 2, rankBefore < 2 {
            let alive = machine?.instances(ofPod: ledger.uid).filter(\.isRunning) ?? []
            expect(
                alive.isEmpty, "I7", ledger.uid, "\(after) while \(alive.map(\.container).joined(separator: " ")) run")
            ledger.terminalWrittenAt = now
        }
        let isUnused = ledger.runs.isEmpty && !ledger.isLeaving
        if rankAfter == 1, isUnused { violation("I6", "Running though nothing ever ran", ledger.uid) }
    }

    /// Every exit code the API shows is the real one, or declared unknown.
    private func checkExits(_ ledger: PodLedger, _ status: ContainerStatus) {
        for end in [status.state?.terminated, status.lastState?.terminated].compactMap(\.self) {
            let about = "\(ledger.uid)/\(status.name)"
            guard let id = end.containerID?.split(separator: "/").last.map(String.init),
                let index = ledger.index(id), let exit = ledger.runs[index].exit, !ledger.runs[index].isLost
            else {
                if end.reason != "ContainerStatusUnknown", let id = end.containerID, !id.isEmpty,
                    machine?.instances.values.contains(where: { id.hasSuffix($0.id) }) != true,
                    ledger.index(id.split(separator: "/").last.map(String.init) ?? "") == nil
                {
                    violation("I9", "exit \(end.exitCode) of \(id), which never ran", about)
                }
                continue
            }
            expect(
                end.exitCode == exit.code, "I9", about, "exit \(end.exitCode) is told, \(exit.code) is true")
        }
    }

    /// Ready is taken back only when something happened to readiness.
    private func checkReadiness(_ ledger: PodLedger, _ old: PodStatus, _ new: PodStatus) {
        if !old.isTrue(.ready), new.isTrue(.ready) { ledger.readyAt = now }
        guard old.isTrue(.ready), !new.isTrue(.ready), !ledger.isLeaving, ledger.terminalWrittenAt == nil else {
            return
        }
        if ledger.spec.readinessGates?.isEmpty == false || ledger.isOver { return }
        // The write may be slow, and the program ready again by now.
        func hasFailed(_ run: PodLedger.Run) -> Bool {
            run.readinessFailures > 0 || run.readinessFailedAt.map { $0 >= ledger.readyAt } == true
        }
        let hasCause =
            ledger.spec.containers.contains { container in
                guard let run = ledger.newest(container.name) else { return true }
                return run.exit != nil || hasFailed(run) || ledger.rebootedAt != nil
                    || ledger.runs.filter { $0.container == container.name }.count > 1
            }
            || (ledger.spec.initContainers ?? []).contains { container in
                ledger.isSidecar(container)
                    && (ledger.newest(container.name).map { $0.exit != nil || hasFailed($0) } ?? true
                        || ledger.runs.filter { $0.container == container.name }.count > 1)
            }
        expect(hasCause, "I7", ledger.uid, "Ready was taken back though nothing happened")
    }
}
