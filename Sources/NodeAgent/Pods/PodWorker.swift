import ContainerImages
import ContainerRuntime
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import MonitorCore
import PodNetwork
import Volumes

/// Carries one pod (one UID) through its life: looks, lets ``PodReconciler`` decide, acts, reports; again whenever something
/// happened.
///
///     syncing ──deleted, removed──▶ terminating ──nothing runs──▶ terminated ──gone from the API──▶ finished
///        └───ended by itself────────────────────────────────────────▲
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
    /// Seconds; can only shrink.
    var gracePeriodSeconds: Int64?
    var failure: (reason: String, message: String)?
    var blockers: [String: PodReconciler.Blocker] = [:]
    var backOff = RestartBackOff()
    var exitSeenAt: [String: Duration] = [:]
    var exitSeenID: [String: String] = [:]
    var firstAttempts: [String: UInt32] = [:]
    var mountedVolumes: [String: MountedVolume]?
    /// This process has seen to the ready sandbox's network and files.
    var isSandboxPrepared = false
    var podIPs: [String] = []
    var logger: Logger
    private var reportedShortfalls: Set<String> = []
    private var isFirstLook = true
    private var backOffToldFor: [String: String] = [:]

    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let shortened: AsyncStream<Duration>
    private let shorten: AsyncStream<Duration>.Continuation

    init(_ pod: Pod, context: PodDependencies) {
        uid = pod.metadata.uid ?? ""
        self.pod = pod
        self.context = context
        var logger = context.logger
        logger[metadataKey: "pod"] = "\(pod.key)"
        self.logger = logger
        // One pending wake-up is enough: a pass looks at everything.
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (shortened, shorten) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var reference: ObjectReference { ObjectReference(to: pod) }

    // MARK: What others tell

    /// Something happened to one of the pod's containers.
    nonisolated func poke() { wake.yield() }

    /// A newer version of the pod.
    func update(_ newer: Pod) {
        pod.spec = newer.spec
        pod.metadata = newer.metadata
        if pod.status == nil || stage == .syncing { pod.status = newer.status ?? pod.status }
        if newer.metadata.deletionTimestamp != nil {
            beginTermination(graceSeconds: newer.metadata.deletionGracePeriodSeconds)
        }
        wake.yield()
    }

    /// The pod is gone from its source: what is left of it is stopped and removed.
    func remove() {
        isRemoved = true
        // Deleted with grace 0: at once, but with the second that a signal handler needs.
        beginTermination(graceSeconds: stage == .syncing ? 1 : gracePeriodSeconds)
        wake.yield()
    }

    /// A pod found in the runtime that no source has.
    func terminateAsOrphan() {
        isRemoved = true
        beginTermination(graceSeconds: 1)
        wake.yield()
    }

    /// Does nothing more; an action under way ends.
    func halt() {
        stage = .finished
        wake.finish()
    }

    private func beginTermination(graceSeconds: Int64?) {
        let grace = max(graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30, 1)
        if stage == .syncing { stage = .terminating }
        if let current = gracePeriodSeconds, grace >= current { return }
        gracePeriodSeconds = grace
        shorten.yield(.seconds(grace))
    }

    // MARK: The loop

    /// Works until the pod is finished or the task is cancelled (the agent stops; containers go on).
    func run() async {
        await recallFirstAttempts()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.obeyShortenedGrace() }
            if hasRefreshableVolumes { group.addTask { await self.refreshVolumes() } }
            wake.yield()
            for await _ in wakeUps {
                let wakeAt = await sync()
                if stage == .finished { break }
                if let wakeAt {
                    group.addTask {
                        try? await ContinuousClock().sleep(for: max(.zero, wakeAt - self.context.monotonic()))
                        self.poke()
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// One pass. Gives the moment at which to look again, if time alone can change something.
    private func sync() async -> Duration? {
        switch stage {
        case .syncing: return await syncRunning()
        case .terminating:
            await terminate()
            return stage == .terminating ? context.monotonic() + .seconds(5) : nil
        case .terminated:
            if isRemoved { await forget() }
            return nil
        case .finished: return nil
        }
    }

    private func syncRunning() async -> Duration? {
        if let refusal = refusal() {
            failure = refusal
            context.events.record(reference, type: .warning, reason: refusal.reason, message: refusal.message)
        }
        if pod.isTerminal || failure != nil {
            await finishByItself()
            return nil
        }
        // Each action changes what is observed; a plan that keeps finding work stops after a bound and goes on next time.
        for _ in 0..<16 {
            let observation = await observe()
            let plan = PodReconciler.plan(
                pod, observed: observation, blockers: blockers, backOff: backOff, exitSeenAt: exitSeenAt,
                firstAttempts: firstAttempts, now: context.monotonic())
            if plan.isFinished {
                await finishByItself()
                return nil
            }
            recordBackOffs(plan.waiting, observation)
            await report(observation, waiting: plan.waiting)
            if plan.actions.isEmpty { return plan.wakeAt }
            for action in plan.actions {
                guard stage == .syncing else {
                    wake.yield()
                    return nil
                }
                await carryOut(action)
            }
        }
        return context.monotonic() + .seconds(1)
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

    private func carryOut(_ action: PodReconciler.Action) async {
        switch action {
        case .createSandbox(let attempt): await createSandbox(attempt: attempt)
        case .start(let name, let attempt): await start(name, attempt: attempt)
        case .kill(let id, let name, let message):
            record(.normal, "Killing", message, container: name)
            try? await context.runtime.stopContainer(
                id, gracePeriod: .seconds(pod.spec.terminationGracePeriodSeconds ?? 30))
        case .remove(let id): try? await context.runtime.removeContainer(id)
        }
    }

    /// Why this node will never run the pod.
    private func refusal() -> (reason: String, message: String)? {
        guard failure == nil, !pod.isTerminal else { return nil }
        guard PodPlaces.isSafe(uid: uid) else {
            return ("InvalidPodUID", "Pod was rejected: metadata.uid is not a safe name")
        }
        let unsupported = UnsupportedFields.find(in: pod)
        guard !unsupported.isEmpty else { return nil }
        return (
            "PodFeatureUnsupported",
            "Pod was rejected: this node does not support \(unsupported.joined(separator: ", "))"
        )
    }

    private var hasRefreshableVolumes: Bool {
        pod.spec.volumes?.contains {
            $0.configMap != nil || $0.secret != nil || $0.downwardAPI != nil || $0.projected != nil
        } == true
    }

    /// Objects in volumes follow their source once a minute, as a node agent's resync does.
    private func refreshVolumes() async {
        while !Task.isCancelled {
            do { try await ContinuousClock().sleep(for: .seconds(60)) } catch { return }
            guard stage == .syncing, mountedVolumes != nil else { continue }
            do { try await volumes.refresh(pod) } catch {
                record(.warning, "FailedMount", "\(error)")
            }
        }
    }

    private func obeyShortenedGrace() async {
        var isFirst = true
        for await grace in shortened {
            // The first is the termination itself, which the loop carries out.
            if isFirst {
                isFirst = false
                continue
            }
            let runtime = context.runtime
            await withTaskGroup(of: Void.self) { group in
                for container in await runtime.containers(ofPod: uid) where container.exitRecord == nil {
                    group.addTask { try? await runtime.stopContainer(container.id, gracePeriod: grace) }
                }
            }
        }
    }

    // MARK: Looking and telling

    func observe() async -> PodObservation {
        let sandboxes = await context.runtime.sandboxes(ofPod: uid)
        let ready = await context.runtime.readySandbox(ofPod: uid)
        let instances = await context.runtime.containers(ofPod: uid)
        let now = context.monotonic()
        for instance in instances where instance.exitRecord != nil {
            let name = instance.metadata.name
            let newest = instances.filter { $0.metadata.name == name }.max { $0.metadata.attempt < $1.metadata.attempt }
            if newest?.id == instance.id, exitSeenID[name] != instance.id {
                if exitSeenID[name] == nil, isFirstLook, let container = container(named: name) {
                    // It crashed under an agent before this one: its delays go on where they were.
                    backOff.restore(
                        PodReconciler.backOffKey(pod, container), tries: instance.metadata.attempt, now: now)
                }
                exitSeenID[name] = instance.id
                exitSeenAt[name] = isFirstLook ? now - Self.age(of: instance) : now
            }
        }
        isFirstLook = false
        if let ready, podIPs.isEmpty { await recallAddresses(of: ready) }
        return PodObservation(
            sandboxID: ready?.id, nextSandboxAttempt: (sandboxes.map(\.attempt).max().map { $0 + 1 }) ?? 0,
            containers: instances.compactMap(ContainerObservation.init))
    }

    /// How long ago an instance ended. The wall clock is all there is of a time before this agent; it may have jumped.
    private static func age(of instance: ContainerInstance) -> Duration {
        guard let record = instance.exitRecord else { return .zero }
        return max(.zero, Timestamp.now().since(Timestamp(nanosecondsSinceEpoch: record.finishedAt)))
    }

    func report(
        _ observation: PodObservation, waiting: [String: PodReconciler.Blocker] = [:], isFinished: Bool = false
    ) async {
        let status = PodStatusBuilder.build(
            PodStatusBuilder.Input(
                pod: pod, observation: observation, waiting: waiting, isFinished: isFinished, failure: failure,
                podIPs: podIPs, hostIPs: context.hostIPs, volumesMounted: mountedVolumes != nil || !isFinished,
                now: .now()))
        logChanges(from: pod.status, to: status)
        pod.status = status
        await context.statuses.set(status, for: pod)
    }

    /// One line that a person understands for each change of the pod's state.
    private func logChanges(from old: PodStatus?, to new: PodStatus) {
        for status in (new.initContainerStatuses ?? []) + (new.containerStatuses ?? []) {
            let before = ((old?.initContainerStatuses ?? []) + (old?.containerStatuses ?? []))
                .first { $0.name == status.name }
            let end = status.state?.terminated ?? status.lastState?.terminated
            let endBefore = before?.state?.terminated ?? before?.lastState?.terminated
            if let end, end != endBefore {
                logger.info(
                    "container ended",
                    metadata: [
                        "container": "\(status.name)", "code": "\(end.exitCode)", "reason": "\(end.reason ?? "")",
                    ])
            }
            if let waiting = status.state?.waiting, waiting.reason != before?.state?.waiting?.reason,
                waiting.reason != "ContainerCreating", waiting.reason != "PodInitializing"
            {
                logger.info(
                    "container waits",
                    metadata: [
                        "container": "\(status.name)", "reason": "\(waiting.reason ?? "")",
                        "message": "\(waiting.message ?? "")",
                    ])
            }
        }
        let isReady = new.isTrue(.ready)
        if isReady != (old?.isTrue(.ready) ?? false) {
            logger.info(isReady ? "pod is ready" : "pod is not ready", metadata: ["ip": "\(new.podIP ?? "-")"])
        }
        if new.phase != old?.phase, new.phase == "Succeeded" || new.phase == "Failed" {
            logger.info(
                "pod has ended", metadata: ["phase": "\(new.phase ?? "")", "reason": "\(new.reason ?? "")"])
        }
    }

    func record(_ type: EventType, _ reason: String, _ message: String, container: String? = nil) {
        let isInit = pod.spec.initContainers?.contains { $0.name == container } == true
        let path = container.map { "spec.\(isInit ? "initContainers" : "containers"){\($0)}" }
        context.events.record(
            ObjectReference(to: pod, fieldPath: path), type: type, reason: reason, message: message)
    }

    /// Limits that this host does not enforce are said once per pod, never silently dropped.
    func reportShortfalls(_ shortfalls: [CgroupShortfall]) {
        for shortfall in shortfalls where shortfall.resource != .oomGroup {
            let text = shortfall.description
            if reportedShortfalls.insert(text).inserted { record(.warning, "ResourceNotEnforced", text) }
        }
    }

    private func recallAddresses(of sandbox: PodSandbox) async {
        if sandbox.hostNetwork {
            podIPs = context.hostIPs
        } else if let status = await context.network.status(sandboxID: sandbox.id) {
            podIPs = status.addresses.map(\.description)
        }
    }

    /// Attempts used before the runtime's records begin: from the API's status and from the log files, which survive a reboot.
    private func recallFirstAttempts() async {
        let statuses = (pod.status?.containerStatuses ?? []) + (pod.status?.initContainerStatuses ?? [])
        for status in statuses
        where status.state?.running != nil || status.lastState != nil || status.containerID != nil {
            firstAttempts[status.name] = UInt32(clamping: Int64(status.restartCount) + 1)
        }
        let places = context.configuration.places
        for container in pod.spec.containers + (pod.spec.initContainers ?? []) {
            let directory = places.logDirectory(pod, container: container.name)
            let used = ((try? FileSystem.list(directory)) ?? []).compactMap { UInt32($0.prefix { $0 != "." }) }.max()
            if let used { firstAttempts[container.name] = max(firstAttempts[container.name] ?? 0, used &+ 1) }
        }
    }
}

extension ContainerObservation {
    /// nil while the instance is being set up: the runtime tells when that is over.
    init?(_ instance: ContainerInstance) {
        let state: State
        switch instance.state {
        case .launching: return nil
        case .created: state = .created
        case .running(_, let startedAt): state = .running(startedAt: Timestamp(nanosecondsSinceEpoch: startedAt))
        case .exited(let record): state = .exited(ContainerStateTerminated(record, instance))
        }
        self.init(
            id: instance.id, sandboxID: instance.sandboxID, name: instance.metadata.name,
            attempt: instance.metadata.attempt, definitionHash: instance.config.labels["definition"] ?? "",
            image: instance.config.image, imageID: instance.config.imageID, state: state)
    }
}
