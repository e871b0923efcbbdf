import KubernetesAPI

/// Runs the probes of all containers of the node and keeps what they found.
///
/// One loop sleeps until the earliest probe is due; only a probe that is running has a task of its own.
public actor Prober {
    private struct WorkerID: Hashable {
        let containerID: String
        let kind: ProbeKind
    }

    private struct Tracked {
        var target: ProbeTarget
        /// Tells this instance from one tracked later under the same id, so that a late result is dropped.
        let token: UInt64
        var workers: [ProbeKind: ProbeWorkerStateMachine]
    }

    private struct MetricsID: Hashable {
        let podUID: String
        let containerName: String
        let kind: ProbeKind
    }

    /// One run of a probe.
    private struct Run {
        let id: WorkerID
        let token: UInt64
        let target: ProbeTarget
        let timeout: Duration
        let begunAt: Duration
    }

    private let clock: any Clock<Duration>
    private let uptime: @Sendable () -> Duration
    private let runner: any ProbeRunning
    private let maximumConcurrentRuns: Int
    private let random: @Sendable () -> Double
    private let onChange: @Sendable (_ podUID: String) -> Void
    private let onEvent: @Sendable (ProbeEvent) -> Void

    private var containers: [String: Tracked] = [:]
    private var containersOfPod: [String: Set<String>] = [:]
    private var metricsByID: [MetricsID: ProberMetrics] = [:]
    private var lastToken: UInt64 = 0
    private var runCount = 0
    /// May hold a worker under times that no longer apply; only the machine knows when it runs.
    private var queue = DueQueue<WorkerID>()
    private let wake = WakeSignal()
    /// When the loop looks at the queue again by itself; nil while it waits for a signal.
    private var nextLook: Duration?

    /// - Parameters:
    ///   - maximumConcurrentRuns: runs beyond this wait for another's end; each container has at most three.
    ///   - random: in 0..<1.
    ///   - onChange: called on the prober when a verdict about one of the pod's containers has changed; must not block.
    ///   - onEvent: called on the prober for every run that failed, warned or could not be made; must not block.
    public init(
        runner: any ProbeRunning, clock: some Clock<Duration> = ContinuousClock(), maximumConcurrentRuns: Int = 128,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        onChange: @escaping @Sendable (_ podUID: String) -> Void,
        onEvent: @escaping @Sendable (ProbeEvent) -> Void
    ) {
        let start = clock.now
        self.clock = clock
        uptime = { start.duration(to: clock.now) }
        self.runner = runner
        self.maximumConcurrentRuns = max(1, maximumConcurrentRuns)
        self.random = random
        self.onChange = onChange
        self.onEvent = onEvent
    }

    /// Begins probing an instance, or takes in a new address of one already probed.
    public func track(_ target: ProbeTarget) {
        let id = target.containerID
        if containers[id] != nil {
            containers[id]?.target.podIP = target.podIP
            return
        }
        let now = uptime()
        let instance = ProbeWorkerStateMachine.Instance(
            startedAt: now - max(.zero, target.runningFor),
            isAwaitingStartup: target.container.startupProbe != nil && !target.wasStarted, wasReady: target.wasReady)
        lastToken &+= 1
        var tracked = Tracked(target: target, token: lastToken, workers: [:])
        for kind in ProbeKind.allCases {
            guard let probe = target.container.probe(kind) else { continue }
            tracked.workers[kind] = ProbeWorkerStateMachine(
                kind, probe: probe, instance: instance, now: now, random: random())
            let metricsID = MetricsID(podUID: target.podUID, containerName: target.container.name, kind: kind)
            if metricsByID[metricsID] == nil { metricsByID[metricsID] = ProberMetrics(kind: kind, target: target) }
        }
        containers[id] = tracked
        containersOfPod[target.podUID, default: []].insert(id)
        for kind in tracked.workers.keys { schedule(WorkerID(containerID: id, kind: kind)) }
    }

    /// The pod is being deleted: only readiness is probed from now on, and nothing is killed for a probe any more.
    public func stopLivenessAndStartup(podUID: String) {
        for id in containersOfPod[podUID] ?? [] {
            containers[id]?.workers[.liveness]?.stop()
            containers[id]?.workers[.startup]?.stop()
        }
    }

    /// Runs the readiness probes of the pod's unready containers now instead of at their next time.
    public func probeReadinessSoon(podUID: String) {
        let now = uptime()
        for id in containersOfPod[podUID] ?? [] where containers[id]?.workers[.readiness]?.verdict != .success {
            containers[id]?.workers[.readiness]?.runSoon(now: now)
            schedule(WorkerID(containerID: id, kind: .readiness))
        }
    }

    /// The instance has ended.
    public func forget(containerID: String) {
        guard let tracked = containers.removeValue(forKey: containerID) else { return }
        containersOfPod[tracked.target.podUID]?.remove(containerID)
        if containersOfPod[tracked.target.podUID]?.isEmpty == true { containersOfPod[tracked.target.podUID] = nil }
    }

    /// The pod is gone, and so are its instances and its metrics.
    public func forget(podUID: String) {
        for id in containersOfPod[podUID] ?? [] { forget(containerID: id) }
        metricsByID = metricsByID.filter { $0.key.podUID != podUID }
    }

    /// What has been found about the pod's tracked instances.
    public func verdicts(podUID: String) -> ProbeVerdicts {
        var verdicts = ProbeVerdicts()
        for id in containersOfPod[podUID] ?? [] {
            guard let tracked = containers[id] else { continue }
            let workers = tracked.workers
            let isStarted = (workers[.startup]?.verdict ?? .success) == .success
            verdicts.started[id] = isStarted
            if !isStarted {
                verdicts.ready[id] = false
            } else if let readiness = workers[.readiness] {
                verdicts.ready[id] = readiness.verdict.map { $0 == .success }
            } else {
                verdicts.ready[id] = true
            }
            for kind in [ProbeKind.startup, .liveness] where workers[kind]?.verdict == .failure {
                verdicts.failed[id] = ProbeVerdicts.Failure(
                    kind: kind,
                    gracePeriodSeconds: tracked.target.container.probe(kind)?.terminationGracePeriodSeconds)
            }
        }
        return verdicts
    }

    /// The figures of every probe of the pods not forgotten, in no order.
    public func metrics() -> [ProberMetrics] { Array(metricsByID.values) }

    /// Probes until the task is cancelled. To be called once.
    public func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for run in beginDueRuns() {
                    group.addTask { [runner] in
                        var outcome: ProbeOutcome
                        repeat {
                            outcome = await runner.run(run.id.kind, of: run.target, timeout: run.timeout)
                        } while await self.finish(run, outcome)
                    }
                }
                nextLook = runCount < maximumConcurrentRuns ? queue.earliest : nil
                let now = uptime()
                await wake.wait(atMost: nextLook.map { max(.zero, $0 - now) }, clock: clock)
            }
            group.cancelAll()
        }
    }

    private func beginDueRuns() -> [Run] {
        let now = uptime()
        var runs: [Run] = []
        while runCount < maximumConcurrentRuns, let id = queue.popDue(now: now) {
            guard let tracked = containers[id.containerID], let worker = tracked.workers[id.kind],
                containers[id.containerID]?.workers[id.kind]?.begin(now: now) == true
            else { continue }
            runCount += 1
            runs.append(
                Run(
                    id: id, token: tracked.token, target: tracked.target, timeout: worker.timeout, begunAt: now))
        }
        return runs
    }

    /// - Returns: whether the probe is to be tried again at once.
    private func finish(_ run: Run, _ outcome: ProbeOutcome) -> Bool {
        let now = uptime()
        var action = ProbeWorkerStateMachine.FinishAction.keepVerdict
        let isCurrent = !Task.isCancelled && containers[run.id.containerID]?.token == run.token
        if isCurrent, containers[run.id.containerID]?.workers[run.id.kind]?.isRunning == true {
            action = containers[run.id.containerID]?.workers[run.id.kind]?.finish(outcome, now: now) ?? .keepVerdict
            if action == .runAgain { return true }
            report(run, outcome, now: now)
        }
        if runCount == maximumConcurrentRuns { wake.signal() }
        runCount -= 1
        schedule(run.id)
        if case .changeVerdict(let verdict) = action {
            if run.id.kind == .startup && verdict == .success { releaseGates(of: run.id.containerID, now: now) }
            onChange(run.target.podUID)
        }
        return false
    }

    private func report(_ run: Run, _ outcome: ProbeOutcome, now: Duration) {
        let metricsID = MetricsID(
            podUID: run.target.podUID, containerName: run.target.container.name, kind: run.id.kind)
        metricsByID[metricsID]?.count(outcome, took: now - run.begunAt)
        if let event = ProbeEvent(outcome, kind: run.id.kind, target: run.target) { onEvent(event) }
    }

    private func releaseGates(of containerID: String, now: Duration) {
        for kind in [ProbeKind.liveness, .readiness] {
            containers[containerID]?.workers[kind]?.releaseGate(now: now)
            schedule(WorkerID(containerID: containerID, kind: kind))
        }
    }

    /// Has the loop look at the worker when it is due.
    private func schedule(_ id: WorkerID) {
        guard let due = containers[id.containerID]?.workers[id.kind]?.nextRun else { return }
        // Times that no longer apply go away as they come up; with many of them in the far future, all at once.
        if queue.count > 4 * containers.count * ProbeKind.allCases.count + 64 { rebuildQueue() }
        queue.push(id, due: due)
        if runCount < maximumConcurrentRuns, nextLook.map({ due < $0 }) ?? true { wake.signal() }
    }

    private func rebuildQueue() {
        queue.removeAll()
        for (containerID, tracked) in containers {
            for (kind, worker) in tracked.workers {
                guard let due = worker.nextRun else { continue }
                queue.push(WorkerID(containerID: containerID, kind: kind), due: due)
            }
        }
    }
}
