import KubernetesAPI
import NodeAgent

/// Rules about programs: when they may start, and when and how they may be ended.
extension Checker {
    /// A process is there that has not begun its program yet, and may never do so.
    func made(_ instance: SimulatedMachine.Instance) {
        if let ledger = ledgers[instance.podUID] { beginAnew(ledger, instance) }
    }

    func started(_ instance: SimulatedMachine.Instance, isAsked: Bool) {
        let about = "\(instance.podUID)/\(instance.container)#\(instance.attempt)"
        guard let ledger = ledgers[instance.podUID], let container = ledger.container(instance.container) else {
            return violation("I1", "a container runs that nobody asked for", about)
        }
        let twins =
            machine?.instances.values.filter {
                $0.podUID == instance.podUID && $0.container == instance.container && $0.isRunning
                    && $0.id != instance.id
            } ?? []
        expect(twins.isEmpty, "I2", about, "runs beside \(twins.map(\.id).sorted().joined(separator: " "))")
        if ledger.isStatic { checkNameIsFree(ledger, about) }
        expect(isAsked, "I4", about, "runs though it was only made")
        checkMayStart(ledger, about)
        checkPolicy(ledger, container, instance, about)
        checkOrder(ledger, container, instance, about)
        expect(
            ledger.images[container.name]?.contains { $0.image == instance.image } == true, "I4", about,
            "image \(instance.image) was never asked for")
        ledger.runs.append(
            PodLedger.Run(
                id: instance.id, container: instance.container, attempt: instance.attempt,
                sandboxID: instance.sandboxID, image: instance.image, startedAt: now, script: instance.script))
    }

    /// The first instance of a pod whose manifest is there again.
    private func beginAnew(_ ledger: PodLedger, _ instance: SimulatedMachine.Instance) {
        guard ledger.hasComeBack, instance.attempt == 0 else { return }
        ledger.hasComeBack = false
        ledger.runs = []
    }

    private func checkNameIsFree(_ ledger: PodLedger, _ about: String) {
        for instance in machine?.instances.values.sorted(by: { $0.id < $1.id }) ?? []
        where instance.isRunning && instance.podUID != ledger.uid {
            guard let other = ledgers[instance.podUID], other.isStatic else { continue }
            expect(
                other.pod.fullName != ledger.pod.fullName, "K15", about,
                "runs beside the static pod of the same name \(other.uid)")
        }
    }

    private func checkMayStart(_ ledger: PodLedger, _ about: String) {
        expect(ledger.pod.metadata.name?.hasPrefix(World.refusedPrefix) != true, "I4", about, "a refused pod runs")
        if let at = ledger.terminalWrittenAt {
            violation("I3", "runs again though its end was written at \(Trace.text(at))", about)
        }
        if ledger.removedByAgent { violation("I3", "runs again after its final deletion", about) }
        // A call that the world's faults have made slow goes on when they are over.
        let allowed = Duration.milliseconds(isCalm && ledger.deletionToldAt ?? .zero >= calmSince ? 300 : 12_500)
        if let told = ledger.deletionToldAt, now - told > allowed {
            violation("I3", "starts \(now - told) after the agent heard of the deletion", about)
        }
    }

    private func checkPolicy(
        _ ledger: PodLedger, _ container: Container, _ instance: SimulatedMachine.Instance, _ about: String
    ) {
        if ledger.doneBeforeReboot.contains(container.name), !ledger.isInit(container.name), !ledger.usesRestartAll,
            ledger.spec.restartPolicy != "Always", container.restartPolicy != "Always"
        {
            violation("I4", "runs again after the reboot though it had succeeded", about)
        }
        guard let last = ledger.newest(container.name), let exit = last.exit else { return }
        expect(instance.attempt > last.attempt, "I7", about, "attempt does not grow from \(last.attempt)")
        if ledger.usesRestartAll || last.image != instance.image || last.postStartFailed { return }
        // Nothing on the node remembers what a static pod did before the machine went down.
        if ledger.isStatic, let at = ledger.rebootedAt, last.startedAt < at { return }
        let isNewSandbox = last.sandboxID != instance.sandboxID
        if !ledger.mayRestart(container, after: exit) {
            let isRerunOfInit = isNewSandbox && ledger.isInit(container.name) && ledger.spec.restartPolicy != "Never"
            expect(
                isRerunOfInit || last.isLost && ledger.spec.restartPolicy != "Never", "I4", about,
                "runs again after exit \(exit.code) against its restart policy")
            return
        }
        guard !isNewSandbox else { return }
        let row = ledger.restartsInRow(container.name, image: instance.image)
        let delay = PodLedger.backOff(restart: row)
        let waited = now - exit.at
        // The wall clock, which may jump, is all that is left of the time before an agent's start.
        let isFirstOfAgent = exit.at <= agentStartedAt
        expect(
            waited >= delay - .milliseconds(1100) || isFirstOfAgent && clockHasJumped, "I4", about,
            "restart \(row) after \(Trace.text(waited)) s instead of \(Trace.text(delay)) s")
    }

    private func checkOrder(
        _ ledger: PodLedger, _ container: Container, _ instance: SimulatedMachine.Instance, _ about: String
    ) {
        let inSandbox = ledger.runs.filter { $0.sandboxID == instance.sandboxID }
        let appNames = Set(ledger.spec.containers.map(\.name))
        // An app container that ran proves that all before it were done.
        if inSandbox.contains(where: { appNames.contains($0.container) }), !ledger.usesRestartAll { return }
        for before in ledger.spec.initContainers ?? [] {
            if before.name == container.name { return }
            let run = inSandbox.last { $0.container == before.name }
            if ledger.isSidecar(before) {
                let hasStarted =
                    before.startupProbe == nil
                    || inSandbox.contains {
                        $0.container == before.name && $0.startupSucceeded
                    }
                expect(run != nil && hasStarted, "I4", about, "starts before sidecar \(before.name) has")
            } else {
                expect(
                    inSandbox.contains { $0.container == before.name && $0.exit?.code == 0 }, "I4", about,
                    "starts before init container \(before.name) has succeeded")
            }
        }
    }

    func exited(_ instance: SimulatedMachine.Instance, _ record: SimulatedMachine.ExitRecord) {
        guard let ledger = ledgers[instance.podUID] else { return }
        if let index = ledger.index(instance.id) {
            ledger.runs[index].exit = record
        } else if record.reason == "StartError" {
            ledger.runs.append(
                PodLedger.Run(
                    id: instance.id, container: instance.container, attempt: instance.attempt,
                    sandboxID: instance.sandboxID, image: instance.image, startedAt: now, script: instance.script,
                    exit: record))
        }
        if ledger.overAt == nil, ledger.isOver { ledger.overAt = now }
        checkNotLate(ledger, instance, record)
    }

    /// A program that is to go is gone when the grace the agent knows of is over.
    private func checkNotLate(
        _ ledger: PodLedger, _ instance: SimulatedMachine.Instance, _ record: SimulatedMachine.ExitRecord
    ) {
        guard hasPromptHost, record.ran, !ledger.isOrphan else { return }
        // Nobody ends anything while the agent is away; the next one is told anew.
        let seen = agentGoneAt ?? now
        for grace in ledger.toldGraces {
            let due = max(grace.at, instance.startedAt) + .seconds(max(1, grace.seconds))
            // The window between signal and kill is two seconds at least and may begin when the grace is over; and calls may be slow.
            expect(
                seen <= due + .seconds(4), "I4", "\(instance.podUID)/\(instance.container)#\(instance.attempt)",
                "ends \(Trace.text(now - due)) s after its grace of \(grace.seconds) s was over")
        }
    }

    /// An agent makes the first thing of a pod.
    func begins(_ uid: String) {
        guard let ledger = ledgers[uid] else { return }
        ledger.begunAt = ledger.begunAt ?? now
    }

    // MARK: Ends

    func signalled(_ instance: SimulatedMachine.Instance) {
        let about = "\(instance.podUID)/\(instance.container)#\(instance.attempt)"
        checkReason(instance, about, "told to stop")
        guard let ledger = ledgers[instance.podUID], let index = ledger.index(instance.id) else { return }
        let run = ledger.runs[index]
        if run.signalledAt == nil, ledger.container(instance.container)?.lifecycle?.preStop != nil {
            let isForced =
                ledger.removedAt != nil
                || ledger.graces.contains {
                    $0.seconds <= 1 || $0.at + .seconds($0.seconds) <= now + .milliseconds(50)
                }
            expect(
                run.preStopBegunAt != nil || isForced || run.postStartFailed, "I4", about,
                "told to stop without its preStop hook")
        }
        checkStopOrder(ledger, instance, about)
        if ledger.runs[index].signalledAt == nil { ledger.runs[index].signalledAt = now }
        if ledger.runs[index].stopBegunAt == nil { ledger.runs[index].stopBegunAt = now }
    }

    /// A sidecar is told after the app containers and the later sidecars have ended, unless the grace is over, or it goes alone: for
    /// a probe or its own failed hook.
    private func checkStopOrder(_ ledger: PodLedger, _ instance: SimulatedMachine.Instance, _ about: String) {
        guard let container = ledger.container(instance.container), ledger.isSidecar(container),
            let index = ledger.index(instance.id), ledger.runs[index].condemned == nil,
            !ledger.runs[index].postStartFailed, !hasNewImage(ledger, instance),
            !ledger.usesRestartAll, !ledger.isOrphan, !isOfEarlierManifest(ledger, ledger.runs[index])
        else { return }
        let order = ledger.spec.initContainers ?? []
        let later = Set(
            order.drop { $0.name != container.name }.dropFirst().filter { ledger.isSidecar($0) }.map(\.name))
        let names = later.union(ledger.spec.containers.map(\.name))
        let alive = (machine?.instances(ofPod: ledger.uid) ?? []).filter {
            names.contains($0.container) && $0.isRunning
        }
        guard !alive.isEmpty else { return }
        let due = earliestDeadline(ledger, from: ledger.deletionAskedAt ?? ledger.removedAt ?? now)
        expect(
            now >= due - .milliseconds(2100), "I4", about,
            "sidecar told to stop while \(alive.map(\.container).joined(separator: " ")) still run")
    }

    func killed(_ instance: SimulatedMachine.Instance) {
        let about = "\(instance.podUID)/\(instance.container)#\(instance.attempt)"
        checkReason(instance, about, "killed")
        guard let ledger = ledgers[instance.podUID], let index = ledger.index(instance.id) else { return }
        let run = ledger.runs[index]
        ledger.runs[index].killedAt = now
        if ledger.usesRestartAll,
            ledger.containers.contains(where: { other in
                ledger.newest(other.name)?.exit.map { ledger.restartsAll(other, after: $0) } == true
            })
        {
            return
        }
        let causes = [run.stopBegunAt, ledger.deletionAskedAt, ledger.removedAt, ledger.overAt, passedDeadline(ledger)]
        guard let begun = causes.compactMap(\.self).min() else {
            return violation("I4", "killed without a stop signal", about)
        }
        let due = earliestDeadline(ledger, run: run, from: begun)
        expect(
            now >= due - .milliseconds(50), "I4", about,
            "killed \(Trace.text(now - begun)) s after its stop began, before its grace was over")
        if let signalled = run.signalledAt {
            expect(
                now - signalled >= .milliseconds(minimumWindow(ledger, run)), "I4", about,
                "killed \(Trace.text(now - signalled)) s after the signal")
        } else {
            violation("I4", "killed without a stop signal", about)
        }
    }

    private func passedDeadline(_ ledger: PodLedger) -> Duration? {
        ledger.earliestDeadline.flatMap { $0 - .seconds(2) <= now ? $0 - .seconds(2) : nil }
    }

    /// The time between signal and kill is never below two seconds, except after a removal with its single second.
    private func minimumWindow(_ ledger: PodLedger, _ run: PodLedger.Run) -> Int64 {
        let shortest = ([ledger.grace] + ledger.graces.map(\.seconds)).min() ?? 1
        return shortest <= 2 || run.condemned != nil ? 950 : 1950
    }

    /// The first moment at which anything asked so far allows a kill.
    private func earliestDeadline(_ ledger: PodLedger, run: PodLedger.Run? = nil, from begun: Duration) -> Duration {
        var candidates = ledger.graces.map { max($0.at, ledger.createdAt) + .seconds($0.seconds) }
        if let condemned = run?.condemned {
            let probe =
                condemned.kind == .liveness
                ? ledger.container(run?.container ?? "")?.livenessProbe
                : ledger.container(run?.container ?? "")?.startupProbe
            candidates.append(condemned.at + .seconds(max(1, probe?.terminationGracePeriodSeconds ?? ledger.grace)))
        }
        if candidates.isEmpty || run?.condemned == nil, ledger.graces.isEmpty {
            candidates.append(begun + .seconds(ledger.grace))
        }
        // The pod ends by itself: its grace begins with that.
        for end in [ledger.overAt, passedDeadline(ledger)].compactMap(\.self) {
            candidates.append(end + .seconds(ledger.grace))
        }
        // A container-level stop that began before the pod's end keeps its own deadline.
        if let own = run?.stopBegunAt { candidates.append(own + .seconds(ledger.grace)) }
        return candidates.min() ?? begun
    }

    /// The manifest was removed and is there again: what it began to end ends.
    private func isOfEarlierManifest(_ ledger: PodLedger, _ run: PodLedger.Run) -> Bool {
        ledger.cameBackAt.map { run.startedAt < $0 } == true
    }

    private func hasNewImage(_ ledger: PodLedger, _ instance: SimulatedMachine.Instance) -> Bool {
        ledger.images[instance.container]?.last?.image != instance.image
    }

    /// Whatever ends a running program needs a reason that the world knows.
    private func checkReason(_ instance: SimulatedMachine.Instance, _ about: String, _ what: String) {
        guard let ledger = ledgers[instance.podUID], let index = ledger.index(instance.id) else { return }
        let run = ledger.runs[index]
        let hasReason =
            ledger.isLeaving || run.condemned != nil || run.postStartFailed || ledger.terminalWrittenAt != nil
            || hasNewImage(ledger, instance) || isOfEarlierManifest(ledger, run) || ledger.isOver
            || ledger.hasEndedByItself
            || ledger.earliestDeadline.map { now >= $0 - .seconds(2) } == true
            || ledger.usesRestartAll
                && ledger.containers.contains { other in
                    ledger.newest(other.name)?.exit.map { ledger.restartsAll(other, after: $0) } == true
                }
        expect(hasReason, "I1", about, "\(what) without a reason")
        if let stopping = agentStoppingAt, now - stopping > .milliseconds(hasPromptHost ? 100 : 6500) {
            violation("K15", "\(what) \(Trace.text(now - stopping)) s after the agent was told to stop", about)
        }
    }

    // MARK: Commands

    func commandBegins(_ asked: ScriptedCommand, _ instance: SimulatedMachine.Instance) {
        guard let ledger = ledgers[instance.podUID], let index = ledger.index(instance.id) else { return }
        let about = "\(instance.podUID)/\(instance.container)#\(instance.attempt)"
        switch asked {
        case .preStop:
            checkReason(instance, about, "its preStop hook is run")
            ledger.runs[index].preStopBegunAt = ledger.runs[index].preStopBegunAt ?? now
            ledger.runs[index].stopBegunAt = ledger.runs[index].stopBegunAt ?? now
        case .postStart, .startup: break
        case .liveness, .readiness:
            if ledger.container(instance.container)?.startupProbe != nil {
                expect(
                    ledger.runs[index].startupSucceeded, "I4", about,
                    "\(asked.rawValue) probed before the startup probe has succeeded")
            }
        }
    }

    func commandFailed(_ asked: ScriptedCommand, _ instance: SimulatedMachine.Instance) {
        guard let ledger = ledgers[instance.podUID], let index = ledger.index(instance.id) else { return }
        if asked == .postStart { ledger.runs[index].postStartFailed = true }
    }

    func commandEnded(_ asked: ScriptedCommand, _ instance: SimulatedMachine.Instance, _ end: CommandEnd) {
        guard let ledger = ledgers[instance.podUID], let index = ledger.index(instance.id),
            let container = ledger.container(instance.container)
        else { return }
        let isGood = end == .exited(0)
        func count(_ failures: Int, _ probe: Probe?) -> Int {
            let next = isGood ? 0 : failures + 1
            if let probe, asked != .readiness, next >= Int(probe.failureThreshold ?? 3) {
                ledger.runs[index].condemned = ledger.runs[index].condemned ?? (asked, now)
            }
            return next
        }
        switch asked {
        case .preStop: ledger.runs[index].preStopEndedAt = now
        case .postStart:
            ledger.runs[index].postStartEndedAt = now
            ledger.runs[index].postStartFailed = !isGood
        case .liveness:
            ledger.runs[index].livenessFailures = count(ledger.runs[index].livenessFailures, container.livenessProbe)
        case .startup:
            if isGood { ledger.runs[index].startupSucceeded = true }
            ledger.runs[index].startupFailures = count(ledger.runs[index].startupFailures, container.startupProbe)
        case .readiness:
            ledger.runs[index].readinessFailures = count(ledger.runs[index].readinessFailures, nil)
            if !isGood { ledger.runs[index].readinessFailedAt = now }
        }
    }
}
