public import KubernetesAPI
import KubernetesClient
import Logging
import Probes

/// The node agent: hears of pods from its sources and of containers from the runtime, and keeps one worker per pod.
///
/// It owns no truth. Killed at any instruction and started again, it finds the pods in the sources and their containers in the
/// kernel, and goes on.
public actor NodeAgent {
    let context: PodDependencies
    private let sources: [AsyncStream<PodUpdate>]
    private let expectedSources: Set<PodSource>
    private var completeSources: Set<PodSource> = []
    var workers: [String: PodWorker] = [:]
    /// How many pods were evicted, by signal or limit.
    var evictions: [String: UInt64] = [:]
    /// How many pods were ended for critical ones, by what was lacking.
    var preemptions: [String: UInt64] = [:]
    /// Pods that arrive under the UID of one that is still being finished: they start when it has.
    private var waiting: [String: Pod] = [:]
    /// Pods that wait for the end of another one of the same name.
    private var waitingByName: [String: Pod] = [:]
    /// UIDs of the pods that have a worker, by name.
    private var names: [String: String] = [:]
    /// What ran when this agent began, by name, for as long as it may not have been ended or taken over.
    private var remnants: [String: [Pod]] = [:]
    /// Whether every source has told of all its pods.
    var hasAllSources: Bool { completeSources == expectedSources }
    /// Pods that have no worker yet.
    var waitingPods: [Pod] { Array(waiting.values) + Array(waitingByName.values) }
    private let brake = DeletionBrake()
    private var isHalted = false
    private let started: AsyncStream<PodWorker>
    private let start: AsyncStream<PodWorker>.Continuation
    private let orphansHeld: AsyncStream<Void>
    private let holdOrphans: AsyncStream<Void>.Continuation

    public init(context: PodDependencies, sources: [PodSource: AsyncStream<PodUpdate>]) {
        self.context = context
        self.sources = Array(sources.values)
        expectedSources = Set(sources.keys)
        (started, start) = AsyncStream.makeStream()
        (orphansHeld, holdOrphans) = AsyncStream.makeStream()
    }

    /// Runs until cancelled. Containers go on running afterwards.
    public func run() async {
        remnants = Dictionary(grouping: await context.host.remnants(), by: \.nameKey)
        await withDiscardingTaskGroup { group in
            for source in sources {
                group.addTask { for await update in source { await self.handle(update) } }
            }
            group.addTask {
                for await uid in self.context.host.changes { await self.poke(uid) }
            }
            group.addTask {
                for await uid in self.context.allocations.wakes { await self.poke(uid) }
            }
            group.addTask {
                for await news in self.context.probes.news { await self.tell(news) }
            }
            group.addTask {
                for await _ in self.orphansHeld {
                    try? await self.context.clock.sleep(for: self.brake.hold, tolerance: nil)
                    if !Task.isCancelled { await self.endOrphans() }
                }
            }
            for await worker in started {
                group.addTask {
                    await worker.run()
                    if !Task.isCancelled { await self.finished(worker) }
                }
            }
        }
    }

    // MARK: Sources

    private func handle(_ update: PodUpdate) async {
        if isHalted { return }
        switch update {
        case .applied(let pod, _): await apply(pod)
        case .removed(let pod, _):
            if let uid = pod.metadata.uid {
                waiting[uid] = nil
                if waitingByName[pod.nameKey]?.metadata.uid == uid { waitingByName[pod.nameKey] = nil }
                await workers[uid]?.remove()
            }
        case .snapshotComplete(let source):
            completeSources.insert(source)
            // Nothing is destroyed before every source has spoken: a pod is an orphan only if none has it.
            if completeSources == expectedSources { await settleRemnants() }
        }
    }

    private func apply(_ pod: Pod) async {
        guard let uid = pod.metadata.uid, PodPlaces.isSafe(uid: uid) else { return }
        await context.statuses.observe(pod)
        if let worker = workers[uid] {
            if await worker.isRemoved { waiting[uid] = pod } else { await worker.update(pod) }
            return
        }
        await endPredecessors(of: pod)
        // Nothing is waited for between this look and the worker's entry: a second pod of the name would slip in.
        if let holder = names[pod.nameKey].flatMap({ workers[$0] }) {
            // Two pods of one name never run together, as those who keep state under their name rely on: the newer waits for the
            // older to end. In the API the older one must be gone, told or not.
            waitingByName[pod.nameKey] = pod
            if !pod.isStatic { await holder.remove() }
            return
        }
        await add(pod)
    }

    private func add(_ pod: Pod) async {
        context.timelines.begin(pod)
        let worker = PodWorker(pod, context: context)
        workers[worker.uid] = worker
        names[pod.nameKey] = worker.uid
        if let decided = await endDecided(of: pod) {
            await worker.refuse(decided)
        } else {
            switch await admit(pod) {
            case .success(let leaving): await worker.wait(for: leaving)
            case .failure(let rejection): await worker.refuse(rejection)
            }
        }
        await worker.restoreAllocation()
        if pod.metadata.deletionTimestamp != nil { await worker.update(pod) }
        start.yield(worker)
    }

    /// What an earlier agent had decided on the end of the pod, and nobody may have heard of.
    private func endDecided(of pod: Pod) async -> PodRejection? {
        if pod.metadata.deletionTimestamp != nil || pod.isTerminal { return nil }
        return await context.host.remembered(of: pod.metadata.uid ?? "")
    }

    /// Whether this node takes a pod, and which others have to be gone before it starts. One that is on the node already was
    /// taken by an earlier agent, one that is ending or has ended needs nothing any more.
    private func admit(_ pod: Pod) async -> Result<[PodWorker], PodRejection> {
        if pod.metadata.deletionTimestamp != nil || pod.isTerminal { return .success([]) }
        if await context.host.knows(pod.metadata.uid ?? "") { return .success([]) }
        if let verdict = await context.policy(pod, nil) {
            return .failure(
                refuse(
                    pod, PodRejection(reason: "NodePolicy", message: "Pod was rejected: " + verdict.message),
                    ["source": "\(verdict.source.rawValue)", "field": "\(verdict.fields)"]))
        }
        let unsupported = UnsupportedFields.find(in: pod)
        if !unsupported.isEmpty {
            return .failure(
                refuse(
                    pod,
                    PodRejection(
                        reason: "PodFeatureUnsupported",
                        message:
                            "Pod was rejected: this node does not support \(unsupported.joined(separator: ", "))")))
        }
        var others: [Pod] = []
        for worker in workers.values where worker.uid != pod.metadata.uid {
            let other = await worker.pod
            if await worker.failure == nil, !other.isTerminal { others.append(other) }
        }
        guard let rejection = await context.admission(pod, others) else { return .success([]) }
        guard pod.isCritical, !rejection.shortages.isEmpty else { return .failure(refuse(pod, rejection)) }
        return await makeRoom(for: pod, rejection, beside: others).mapError { refuse(pod, $0) }
    }

    private func refuse(_ pod: Pod, _ rejection: PodRejection, _ details: Logger.Metadata = [:]) -> PodRejection {
        context.events.record(
            ObjectReference(to: pod), type: .warning, reason: rejection.reason, message: rejection.message)
        context.logger.warning(
            "pod was rejected",
            metadata: [
                "pod": "\(pod.key)", "namespace": "\(pod.metadata.namespace ?? "")", "uid": "\(pod.metadata.uid ?? "")",
                "reason": "\(rejection.reason)", "message": "\(rejection.message)",
            ].merging(details) { $1 })
        return rejection
    }

    private func poke(_ uid: String) { workers[uid]?.poke() }

    private func tell(_ news: PodProbes.News) async {
        switch news {
        case .changed(let uid): poke(uid)
        case .event(let event):
            await workers[event.podUID]?.record(
                .warning, event.reason.rawValue, event.message, container: event.containerName)
        }
    }

    private func finished(_ worker: PodWorker) async {
        workers[worker.uid] = nil
        let name = names.first { $0.value == worker.uid }?.key
        if let name { names[name] = nil }
        if let next = waiting.removeValue(forKey: worker.uid) { await apply(next) }
        if let name, let next = waitingByName.removeValue(forKey: name) { await apply(next) }
    }

    /// A pod that was replaced while no agent ran: what still runs under its name is in its source no more, whatever the other
    /// sources say, and goes before the new one comes.
    private func endPredecessors(of pod: Pod) async {
        for remnant in remnants.removeValue(forKey: pod.nameKey) ?? [] where remnant.metadata.uid != pod.metadata.uid {
            guard workers[remnant.metadata.uid ?? ""] == nil, names[pod.nameKey] == nil else { continue }
            await end(remnant)
        }
    }

    private func end(_ remnant: Pod) async {
        context.logger.info("pod is in no source, ending it", metadata: ["pod": "\(remnant.key)"])
        context.timelines.begin(remnant)
        let worker = PodWorker(remnant, context: context)
        workers[worker.uid] = worker
        names[remnant.nameKey] = worker.uid
        await worker.terminateAsOrphan()
        start.yield(worker)
    }

    /// Ends what runs, or is still mounted, of pods that no source has: at once, or after a while when the control endpoint has
    /// lost so many pods that it may be mistaken.
    private func settleRemnants() async {
        let orphans = await orphans()
        let lost = orphans.filter { !$0.isStatic && $0.metadata.name != nil }
        var known = lost.count
        for worker in workers.values where await !worker.pod.isStatic { known += 1 }
        if brake.holds(missing: lost.count, of: known) {
            for pod in orphans where pod.isStatic { await end(pod) }
            context.events.record(
                context.node, type: .warning, reason: APIPodSource.deletionHeld,
                message: APIPodSource.message(missing: lost.count, known: known))
            context.logger.warning(
                "the control endpoint has so few of the pods that run here that they are kept for now",
                metadata: ["missing": "\(lost.count)", "known": "\(known)"])
            holdOrphans.yield()
        } else {
            await endOrphans()
        }
        await context.host.discardUnused()
        await context.allocations.open()
    }

    private func orphans() async -> [Pod] {
        await context.host.remnants().filter { workers[$0.metadata.uid ?? ""] == nil }
    }

    private func endOrphans() async {
        if isHalted { return }
        for pod in await orphans() where workers[pod.metadata.uid ?? ""] == nil { await end(pod) }
        remnants = [:]
    }

    // MARK: For the node's own interfaces

    public nonisolated var timelines: PodTimelineStore { context.timelines }

    public nonisolated var durations: AgentDurations { context.durations }

    public nonisolated var probes: PodProbes { context.probes }

    /// Every pod this node knows, as it sees it now.
    public func pods() async -> [Pod] {
        var pods: [Pod] = []
        for worker in workers.values { pods.append(await worker.pod) }
        // Keys and numbers change places, not whole pods.
        let order = pods.indices.map { (pods[$0].key, $0) }.sorted { $0 < $1 }
        return order.map { pods[$0.1] }
    }

    /// From now on this agent starts nothing and reports nothing: its pods are about to be ended under it.
    public func halt() async {
        isHalted = true
        context.timelines.nodeStops()
        for worker in workers.values { await worker.halt() }
    }
}

extension Pod {
    /// Pods of the API and of the node's own manifests do not get into each other's way.
    fileprivate var nameKey: String { (isStatic ? "static/" : "") + fullName }
}
