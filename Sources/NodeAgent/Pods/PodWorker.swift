import KubernetesAPI
import KubernetesClient
import Logging
import Probes

/// Carries one pod (one UID) through its life: looks, lets ``PodReconciler`` decide, acts, reports; again whenever something
/// happened.
///
///     syncing ──deleted, removed, ended, failed──▶ terminating ──nothing runs or is mounted──▶ terminated ──gone──▶ finished
actor PodWorker {
    enum Stage: Hashable {
        case syncing
        case terminating
        /// Nothing of the pod runs or is mounted; the records of its containers stay for status and logs.
        case terminated
        case finished
    }

    let uid: String
    let context: PodDependencies
    var pod: Pod
    var stage = Stage.syncing
    /// The API (or the manifest) has it no more.
    var isRemoved = false
    /// When the containers' grace is over; can only come nearer.
    var graceDeadline: Duration?
    /// The node refuses the pod, or has ended it.
    var failure: PodRejection?
    var blockers: [String: PodReconciler.Blocker] = [:]
    var resize = PodResize()
    var backOff = RestartBackOff()
    /// What the last try to pull an image said, by the key of its back-off.
    var pullFailures: [String: String] = [:]
    var exitSeenAt: [String: Duration] = [:]
    var exitSeenID: [String: String] = [:]
    var firstAttempts: [String: UInt32] = [:]
    /// When the instances that this agent itself has started were, by a clock that does not jump.
    var startedHere: [String: Duration] = [:]
    /// Instances whose preStop hook has been run: never twice by one agent.
    var stoppedHooks: Set<String> = []
    /// Instances that are being stopped while their pod goes on.
    var stopping: Set<String> = []
    /// Containers that have ended since the pod began to.
    var ended: Set<String> = []
    /// Failed tries to make or to give back what the pod has on this node.
    var sandboxRetry = Backoff(policy: PodWorker.retryPolicy)
    var volumesRetry = Backoff(policy: RetryPolicy(initialDelay: .seconds(1), maximumDelay: .seconds(60)))
    var releaseRetry = Backoff(policy: PodWorker.retryPolicy)
    /// Why the volumes could not be mounted the last time.
    var volumesProblem: String?
    var sandboxBlockedUntil: Duration?
    /// The last status built here; that of the API may be older.
    var reported: PodStatus?
    var logger: Logger
    let uptime: MonotonicTime
    /// The stage or the grace has changed, or a container has ended: those who wait look again.
    let changed = WakeSignal()
    private var activeSince: Duration?
    private var isFirstLook = true
    private var backOffToldFor: [String: String] = [:]
    /// What the last status said of containers that wait.
    var toldWaiting: [String: PodReconciler.Blocker] = [:]
    private var timerDue: Duration?
    private var makingRoom: [PodWorker] = []

    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    let stopRequests: AsyncStream<ContainerStop>
    let stopRequest: AsyncStream<ContainerStop>.Continuation

    static let retryPolicy = RetryPolicy(initialDelay: .milliseconds(250), maximumDelay: .seconds(10))
    /// Files that could not be brought up to date are tried again so soon.
    private static let volumeRetryInterval = Duration.seconds(60)

    init(_ pod: Pod, context: PodDependencies) {
        uid = pod.metadata.uid ?? ""
        self.pod = pod
        resize.desired = pod.spec.resourcesByContainer
        resize.desiredOfPod = pod.spec.resources
        self.context = context
        uptime = MonotonicTime(context.clock)
        var logger = context.logger
        logger[metadataKey: "pod"] = "\(pod.key)"
        self.logger = logger
        // One pending wake-up is enough: a pass looks at everything.
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (stopRequests, stopRequest) = AsyncStream.makeStream()
    }

    var now: Duration { uptime.elapsed }

    // MARK: What others tell

    /// Something happened to one of the pod's containers.
    nonisolated func poke() { wake.yield() }

    /// The node does not take the pod. Told before ``run()``.
    func refuse(_ rejection: PodRejection) { failure = rejection }

    /// The pods that leave to make room for this one. Told before ``run()``.
    func wait(for leaving: [PodWorker]) { makingRoom = leaving }

    /// A newer version of the pod.
    func update(_ newer: Pod) {
        take(newer.spec)
        pod.metadata = newer.metadata
        // What this node reported is newer than what comes back; only others' conditions are news.
        if let theirs = newer.status { pod.status = reported.map { PodStatusMerge.merge($0, over: theirs) } ?? theirs }
        if newer.metadata.deletionTimestamp != nil {
            beginTermination(graceSeconds: newer.metadata.deletionGracePeriodSeconds)
        }
        wake.yield()
    }

    /// The pod is gone from its source: what is left of it is stopped and removed.
    func remove() {
        isRemoved = true
        // Deleted with grace 0: at once, but with the second that a signal handler needs. A pod of a file gets its own grace.
        beginTermination(graceSeconds: pod.isStatic ? nil : 1)
        wake.yield()
    }

    /// A pod found on the node that no source has. One of a file was removed in good order; one of the API was deleted by force, as
    /// it would still be there otherwise.
    func terminateAsOrphan() {
        isRemoved = true
        beginTermination(graceSeconds: pod.isStatic ? nil : 1)
        wake.yield()
    }

    /// Does nothing more; an action under way ends.
    func halt() {
        stage = .finished
        wake.finish()
    }

    func beginTermination(graceSeconds: Int64?) {
        if stage == .syncing { stage = .terminating }
        let deadline = now + TerminationGrace.pod(pod, asked: graceSeconds)
        if graceDeadline.map({ deadline < $0 }) ?? true { graceDeadline = deadline }
        changed.signal()
    }

    // MARK: The loop

    /// Works until the pod is finished or the task is cancelled (the agent stops; containers go on).
    func run() async {
        for worker in makingRoom { await worker.waitForEnd() }
        makingRoom = []
        await recallFirstAttempts()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.carryOutStops() }
            wake.yield()
            for await _ in wakeUps {
                if Task.isCancelled { break }
                let due = await measuredSync()
                if stage == .finished { break }
                if let due { startTimer(due, in: &group) }
            }
            group.cancelAll()
        }
    }

    private func startTimer(_ due: Duration, in group: inout DiscardingTaskGroup) {
        if let timerDue, timerDue <= due { return }
        timerDue = due
        let (clock, delay) = (context.clock, max(.zero, due - now))
        group.addTask {
            try? await clock.sleep(for: delay, tolerance: nil)
            await self.timerEnded(due)
        }
    }

    private func timerEnded(_ due: Duration) {
        if timerDue == due { timerDue = nil }
        wake.yield()
    }

    private func measuredSync() async -> Duration? {
        let (start, operation) = (now, nextOperation)
        defer { context.durations.add(operation, now - start) }
        return await sync()
    }

    private var nextOperation: AgentDurations.WorkerOperation {
        switch stage {
        case .syncing: isFirstLook ? .create : .sync
        case .terminating, .terminated, .finished: .kill
        }
    }

    /// One pass. Gives the moment at which to look again, if time alone can change something.
    private func sync() async -> Duration? {
        if stage == .syncing {
            let due = await syncRunning()
            if stage == .syncing { return due }
        }
        if stage == .terminating, let due = await terminate() { return due }
        return stage == .terminated ? await settle() : nil
    }

    private func syncRunning() async -> Duration? {
        if failure != nil || pod.isTerminal {
            beginTermination(graceSeconds: nil)
            return nil
        }
        await hearOfVolumes()
        // Each action changes what is observed; a plan that keeps finding work stops after a bound and goes on next time.
        for _ in 0..<16 {
            var observation = await observe()
            guard stage == .syncing else { return nil }
            if endAtDeadline() { return nil }
            if await resize(observation) { observation = await observe() }
            guard stage == .syncing else { return nil }
            let plan = PodReconciler.plan(
                pod, observed: observation, probes: await probeResults(observation), blockers: blockers,
                backOff: backOff, exitSeenAt: exitSeenAt, firstAttempts: firstAttempts, now: now)
            if plan.isFinished || plan.actions.contains(where: \.isOfTheEnd) {
                beginTermination(graceSeconds: nil)
                return nil
            }
            recordBackOffs(plan.waiting, observation)
            await report(observation, waiting: waiting(in: plan), restartingAll: plan.restartingAll)
            let actions = plan.actions.filter { !isBlocked($0) }
            if actions.isEmpty {
                let moments = [
                    plan.wakeAt, await refreshVolumes(), activeDeadline, sandboxBlockedUntil, resize.retryAt,
                ]
                return moments.compactMap(\.self).min()
            }
            for action in actions {
                guard stage == .syncing, !Task.isCancelled else { return nil }
                await carryOut(action, observation)
            }
        }
        return now + .seconds(1)
    }

    private func isBlocked(_ action: PodReconciler.Action) -> Bool {
        guard case .createSandbox = action, let sandboxBlockedUntil else { return false }
        if sandboxBlockedUntil > now { return true }
        self.sandboxBlockedUntil = nil
        return false
    }

    private func carryOut(_ action: PodReconciler.Action, _ observation: PodObservation) async {
        switch action {
        case .createSandbox(let attempt): await createSandbox(attempt: attempt)
        case .start(let name, let attempt): await start(name, attempt: attempt)
        case .runPostStart(let id, let name):
            guard let container = pod.spec.container(named: name) else { return }
            await runPostStart(of: container, id)
        case .kill(let id, let name, let reason, let grace):
            await kill(id, name, message: reason.eventMessage(name, in: pod), graceSeconds: grace)
        case .remove(let id):
            await context.host.removeContainer(id)
            // Its log file stays, and so its number is taken.
            if let gone = observation.containers.first(where: { $0.id == id }) {
                firstAttempts[gone.name] = max(firstAttempts[gone.name] ?? 0, gone.attempt &+ 1)
            }
        }
    }

    // MARK: Deadline

    /// When the pod has been active for as long as it may. The wall clock is asked once, for a pod that an earlier agent started.
    private var activeDeadline: Duration? {
        guard let seconds = pod.spec.activeDeadlineSeconds, let startTime = pod.status?.startTime else { return nil }
        let start = activeSince ?? now - max(.zero, context.wallClock().since(startTime))
        activeSince = start
        return start + .seconds(seconds)
    }

    private func endAtDeadline() -> Bool {
        guard let deadline = activeDeadline, deadline <= now else { return false }
        let rejection = PodRejection(
            reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline")
        failure = rejection
        record(.normal, rejection.reason, rejection.message)
        beginTermination(graceSeconds: nil)
        return true
    }

    // MARK: Sandbox and volumes

    private func createSandbox(attempt: UInt32) async {
        do throws(PodHostError) {
            try await context.host.createSandbox(for: pod, attempt: attempt)
            if attempt > 0 {
                record(.normal, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            }
            blockers = [:]
            sandboxRetry.reset()
        } catch {
            // A pod that is being deleted needs none any more.
            guard stage == .syncing else { return }
            record(.warning, error.reason, error.message)
            logger.warning("sandbox not created", metadata: ["error": "\(error)"])
            sandboxBlockedUntil = now + sandboxRetry.failed(random: 0.5)
        }
    }

    private var hasRefreshableVolumes: Bool {
        pod.spec.volumes?.contains {
            $0.configMap != nil || $0.secret != nil || $0.downwardAPI != nil || $0.projected != nil
        } == true
    }

    /// Gives the moment at which files are to be looked at again.
    private func refreshVolumes() async -> Duration? {
        guard hasRefreshableVolumes else { return nil }
        do throws(PodHostError) { return try await context.host.refreshVolumes(of: pod).map { now + $0 } } catch {
            record(.warning, error.reason, error.message)
            return now + Self.volumeRetryInterval
        }
    }

    // MARK: Looking

    func observe() async -> PodObservation {
        let observation = await context.host.observe(uid)
        for name in Set(observation.containers.map(\.name)) {
            guard let newest = observation.newest(name) else { continue }
            if isFirstLook, let container = pod.spec.container(named: name) {
                // An agent before this one has restarted it so often: its delays go on where they were.
                backOff.restore(
                    PodReconciler.backOffKey(pod, container), tries: newest.attempt, now: now - age(newest.startedAt))
            }
            guard let end = newest.terminated, exitSeenID[name] != newest.id else { continue }
            exitSeenID[name] = newest.id
            startedHere[newest.id] = nil
            exitSeenAt[name] = isFirstLook ? now - min(age(end.finishedAt), RestartBackOff.maximumDelay) : now
        }
        isFirstLook = false
        return observation
    }

    /// How long ago that was. The wall clock is all there is of a time before this agent; it may have jumped.
    private func age(_ time: Timestamp?) -> Duration {
        guard let time else { return .zero }
        return max(.zero, context.wallClock().since(time))
    }

    private var prober: Prober { context.probes.prober }

    /// What the status says of this very instance.
    private func status(of instance: ContainerObservation) -> ContainerStatus? {
        let statuses = (pod.status?.containerStatuses ?? []) + (pod.status?.initContainerStatuses ?? [])
        return statuses.first { $0.name == instance.name && $0.containerID == "swiftlet://\(instance.id)" }
    }

    /// Sees to it that every running container is probed, and gives what the probes have found.
    private func probeResults(_ observation: PodObservation) async -> ProbeVerdicts {
        guard pod.spec.hasProbes else { return ProbeVerdicts() }
        for instance in observation.containers where instance.isRunning {
            guard let container = pod.spec.container(named: instance.name), container.hasProbes,
                case .running(let startedAt) = instance.state
            else { continue }
            let before = status(of: instance)
            await prober.track(
                ProbeTarget(
                    podUID: uid, podNamespace: pod.metadata.namespace ?? "", podName: pod.metadata.name ?? "",
                    containerID: instance.id, container: container, podIP: observation.podIPs.first,
                    runningFor: startedHere[instance.id].map { now - $0 } ?? age(startedAt),
                    wasStarted: before?.started == true, wasReady: before?.ready))
        }
        for instance in observation.containers where instance.terminated != nil {
            await prober.forget(containerID: instance.id)
        }
        return await prober.verdicts(podUID: uid)
    }

    /// Attempts used before the runtime's records begin: from the API's status and from what the node still has.
    private func recallFirstAttempts() async {
        let statuses = (pod.status?.containerStatuses ?? []) + (pod.status?.initContainerStatuses ?? [])
        for status in statuses
        where status.state?.running != nil || status.lastState != nil || status.containerID != nil {
            firstAttempts[status.name] = UInt32(clamping: Int64(status.restartCount) + 1)
        }
        for (name, used) in await context.host.attemptsUsed(by: pod) {
            firstAttempts[name] = max(firstAttempts[name] ?? 0, used &+ 1)
        }
    }

    /// Who waits, and why. A container that is tried again goes on waiting for the same reason until the try has ended:
    /// otherwise each try would change the status twice.
    private func waiting(in plan: PodReconciler.Plan) -> [String: PodReconciler.Blocker] {
        var waiting = plan.waiting
        for case .start(let name, _) in plan.actions where waiting[name] == nil { waiting[name] = toldWaiting[name] }
        toldWaiting = waiting
        return waiting
    }

    /// Said once for each instance that crashed.
    private func recordBackOffs(_ waiting: [String: PodReconciler.Blocker], _ observation: PodObservation) {
        for (name, blocker) in waiting where blocker.reason == "CrashLoopBackOff" {
            guard let newest = observation.newest(name), backOffToldFor[name] != newest.id else { continue }
            backOffToldFor[name] = newest.id
            record(
                .warning, "BackOff",
                "Back-off restarting failed container \(name) in pod \(pod.metadata.name ?? "")_\(pod.metadata.namespace ?? "")(\(uid))",
                container: name)
        }
    }

    func block(_ name: String, reason: String, message: String, retryAfter: Duration) {
        blockers[name] = PodReconciler.Blocker(reason: reason, message: message, until: now + retryAfter)
    }
}
