import KubernetesAPI

/// Rules about the end of a world: everything has found its place.
extension Checker {
    /// After a calm minute: every pod is where it belongs, and the API says so.
    func checkConverged() {
        for uid in ledgers.keys.sorted() {
            guard let ledger = ledgers[uid] else { continue }
            if ledger.isLeaving {
                checkGone(ledger)
            } else {
                checkActivity(ledger)
                if !ledger.isStatic { checkTruth(ledger) }
            }
        }
    }

    /// Asked to go a minute and its grace ago.
    func checkGone(_ ledger: PodLedger) {
        if ledger.removedAt != nil, let deletionsHeldUntil, now < deletionsHeldUntil { return }
        let asked = [ledger.deletionAskedAt, ledger.removedAt].compactMap(\.self).min() ?? now
        let grace =
            ledger.removedAt == nil || ledger.isStatic ? (ledger.graces.map(\.seconds).min() ?? ledger.grace) : 1
        let remains = machine?.remains(ofPod: ledger.uid) ?? []
        guard max(asked, calmSince) + .seconds(grace) + .seconds(60) < now else { return }
        let isRunning = remains.contains("process") || remains.contains("mount")
        expect(!isRunning, "I8", ledger.uid, "still there long after its deletion: \(remains.joined(separator: ", "))")
        if !ledger.isStatic {
            expect(ledger.removedAt != nil, "I14", ledger.uid, "still in the API long after its deletion")
        }
        expect(remains.isEmpty, "I5", ledger.uid, "left over: \(remains.joined(separator: ", "))")
    }

    /// Every container that ought to run does, or waits for a reason.
    private func checkActivity(_ ledger: PodLedger) {
        let uid = ledger.uid
        if ledger.pod.metadata.name?.hasPrefix(World.refusedPrefix) == true {
            expect(ledger.status?.phase == "Failed", "I14", uid, "a refused pod is \(ledger.status?.phase ?? "-")")
            return
        }
        if ledger.isStatic, isNameHeld(ledger) { return }
        if ledger.terminalWrittenAt != nil { return }
        if ledger.deadlineAt.map({ now > $0 + .seconds(ledger.grace) }) == true {
            expect(ledger.status?.phase == "Failed", "I14", uid, "active past its deadline")
            return
        }
        if ledger.isOver {
            let alive = machine?.instances(ofPod: uid).filter(\.isRunning).map(\.container) ?? []
            if !ledger.isStatic {
                expect(
                    ["Succeeded", "Failed"].contains(ledger.status?.phase ?? ""), "I14", uid,
                    "has ended but is \(ledger.status?.phase ?? "-") with \(alive)")
            }
            return
        }
        if ledger.rebootedAt != nil, ledger.spec.restartPolicy != "Always" { return }
        for container in ledger.spec.initContainers ?? [] {
            let sandbox = machine?.readySandbox(ofPod: uid)?.id
            if !ledger.isSidecar(container),
                ledger.runs.contains(where: { $0.container == container.name && $0.exit?.code == 0 })
            {
                continue
            }
            guard checkAlive(ledger, container), ledger.isSidecar(container) else { return }
            // It counts as started once its hook has done its work.
            if container.lifecycle?.postStart != nil, let run = ledger.newest(container.name),
                run.postStartEndedAt == nil || run.postStartFailed
            {
                return
            }
            if container.startupProbe != nil,
                !ledger.runs.contains(where: {
                    $0.container == container.name && $0.sandboxID == sandbox && $0.startupSucceeded
                })
            {
                return
            }
        }
        for container in ledger.spec.containers { _ = checkAlive(ledger, container) }
    }

    private func isNameHeld(_ ledger: PodLedger) -> Bool {
        ledgers.values.contains { other in
            other.uid != ledger.uid && other.isStatic && other.pod.fullName == ledger.pod.fullName
        }
    }

    /// Whether it runs; says so when it neither runs nor waits rightly.
    private func checkAlive(_ ledger: PodLedger, _ container: Container) -> Bool {
        let about = "\(ledger.uid)/\(container.name)"
        if container.image?.hasPrefix("missing") == true { return false }
        guard let run = ledger.newest(container.name) else {
            violation("I14", "was never started", about)
            return false
        }
        guard let exit = run.exit else {
            checkLiveness(ledger, container, run)
            expect(
                run.image == container.image || now - (ledger.images[container.name]?.last?.at ?? now) < .seconds(120),
                "I14", about, "still runs image \(run.image) instead of \(container.image ?? "-")")
            return true
        }
        guard ledger.mayRestart(container, after: exit) || run.isLost else { return false }
        let row = ledger.restartsInRow(container.name, image: container.image ?? "")
        // Tries that failed before the program ran lengthen the delay as well.
        let tries = max(row, ledger.tries[container.name] ?? 0)
        let limit = max(PodLedger.backOff(restart: tries + 1), .seconds(10))
        expect(
            now <= max(exit.at, calmSince) + limit + .seconds(30), "I14", about,
            "does not run \(Trace.text(now - exit.at)) s after its exit \(exit.code)")
        return false
    }

    /// A program that has long stopped answering, or whose hook failed, does not go on running.
    private func checkLiveness(_ ledger: PodLedger, _ container: Container, _ run: PodLedger.Run) {
        if container.lifecycle?.postStart != nil, run.postStartEndedAt == nil {
            let limit = max(run.startedAt, calmSince) + run.script.hookTakes + .seconds(30)
            expect(now <= limit, "I4", "\(ledger.uid)/\(container.name)", "its postStart hook has not been run")
        }
        if run.postStartFailed, let failedAt = run.postStartEndedAt {
            let limit = max(failedAt, calmSince) + .seconds(ledger.grace) + .seconds(30)
            expect(now <= limit, "I4", "\(ledger.uid)/\(container.name)", "still runs though its postStart hook failed")
        }
        guard let probe = container.livenessProbe, let after = run.script.livenessFailsAfter,
            container.startupProbe == nil || run.startupSucceeded
        else { return }
        let period = Int64(probe.periodSeconds ?? 10)
        let budget = period * Int64((probe.failureThreshold ?? 3) + 2) + Int64(probe.initialDelaySeconds ?? 0)
        let grace = max(1, probe.terminationGracePeriodSeconds ?? ledger.grace)
        let limit = max(run.startedAt + after, calmSince) + .seconds(budget + grace) + .seconds(30)
        expect(now <= limit, "I4", "\(ledger.uid)/\(container.name)", "still runs though its liveness probe fails")
    }

    /// What the API shows is what is.
    private func checkTruth(_ ledger: PodLedger) {
        guard let status = api?.pods[ledger.pod.key]?.status, let machine else { return }
        // While a postStart hook runs, nothing else of its pod is looked at, as with kubelet.
        if ledger.terminalWrittenAt != nil || ledger.isHookRunning { return }
        for container in ledger.containers {
            let about = "\(ledger.uid)/\(container.name)"
            let newest = machine.instances(ofPod: ledger.uid).filter { $0.container == container.name }
                .max { $0.attempt < $1.attempt }
            guard let shown = Self.statuses(status).first(where: { $0.name == container.name }) else {
                violation("I6", "has no status", about)
                continue
            }
            guard let newest else {
                expect(shown.state?.running == nil, "I6", about, "is shown running, and there is none")
                continue
            }
            // The end of a world may fall between the steps of a start: that it was begun is no news yet.
            let changedAt = [newest.intendedAt, newest.startedAt, newest.exit?.at ?? .zero].max() ?? .zero
            if changedAt + .seconds(10) > now { continue }
            expect(
                (shown.state?.running != nil) == newest.isRunning, "I6", about,
                "is shown \(SimulatedAPI.summary(status)) while running is \(newest.isRunning)")
            expect(
                UInt32(clamping: shown.restartCount) == newest.attempt, "I6", about,
                "restart count \(shown.restartCount) is shown, \(newest.attempt) is true")
            if let exit = newest.exit {
                let end = shown.state?.terminated ?? shown.lastState?.terminated
                expect(end?.exitCode == exit.code, "I6", about, "exit \(exit.code) is not shown")
            } else {
                checkReady(ledger, container, newest, shown)
            }
        }
        checkPodReady(ledger, status)
    }

    private func checkReady(
        _ ledger: PodLedger, _ container: Container, _ instance: SimulatedMachine.Instance, _ shown: ContainerStatus
    ) {
        if ledger.isInit(container.name), !ledger.isSidecar(container) { return }
        let age = now - instance.startedAt
        let run = ledger.index(instance.id).map { ledger.runs[$0] }
        if container.startupProbe != nil, run?.startupSucceeded != true {
            return expect(!shown.ready, "I6", "\(ledger.uid)/\(container.name)", "ready before it has started")
        }
        // Its hook runs: it counts as started afterwards; one whose hook failed is being stopped.
        if container.lifecycle?.postStart != nil, run?.postStartEndedAt == nil || run?.postStartFailed == true {
            return
        }
        guard let probe = container.readinessProbe else {
            return expect(shown.ready, "I6", "\(ledger.uid)/\(container.name)", "runs without probe and is not ready")
        }
        let threshold = max(probe.successThreshold ?? 1, probe.failureThreshold ?? 3)
        let settle =
            Int64(probe.initialDelaySeconds ?? 0) + Int64(probe.periodSeconds ?? 10) * Int64(threshold + 2) + 10
        let changes =
            instance.script.readinessChanges + [
                container.startupProbe == nil ? .zero : (instance.script.startedAfter ?? .zero) + .seconds(60)
            ]
        if changes.contains(where: { $0 <= age && age < $0 + .seconds(settle) }) || age < .seconds(settle) { return }
        if now < agentStartedAt + .seconds(settle) || now < calmSince + .seconds(settle) { return }
        let expected =
            instance.script.isReady(at: age)
            && instance.script.commandTakes < .seconds(Int64(probe.timeoutSeconds ?? 1))
        expect(
            shown.ready == expected, "I6", "\(ledger.uid)/\(container.name)",
            "ready is \(shown.ready) for a program that says \(expected)")
    }

    private func checkPodReady(_ ledger: PodLedger, _ status: PodStatus) {
        let all = ledger.spec.containers + (ledger.spec.initContainers ?? []).filter { ledger.isSidecar($0) }
        let shown = all.compactMap { container in Self.statuses(status).first { $0.name == container.name } }
        let isReady = shown.count == all.count && shown.allSatisfy(\.ready)
        expect(
            status.isTrue(.containersReady) == isReady, "I6", ledger.uid,
            "ContainersReady is \(status.isTrue(.containersReady)) with \(SimulatedAPI.summary(status))")
    }

    /// Everything was deleted a minute and the longest grace ago: nothing at all is left.
    func checkEmpty() {
        for uid in machine?.podUIDs.sorted() ?? [] {
            let remains = machine?.remains(ofPod: uid) ?? []
            violation("I5", "left over: \(remains.joined(separator: ", "))", uid)
        }
        for key in api?.pods.keys.sorted() ?? [] { violation("I14", "still in the API after the deletion of all", key) }
    }
}
