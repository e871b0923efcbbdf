public import KubernetesAPI
import KubernetesClient
import Logging
import Probes

/// The node agent: hears of pods from its sources and of containers from the runtime, and keeps one worker per pod.
///
/// It owns no truth. Killed at any instruction and started again, it finds the pods in the sources and their containers in the
/// kernel, and goes on.
public actor NodeAgent {
    private let context: PodDependencies
    private let sources: [AsyncStream<PodUpdate>]
    private let expectedSources: Set<PodSource>
    private var completeSources: Set<PodSource> = []
    private var workers: [String: PodWorker] = [:]
    /// Pods that arrive under the UID of one that is still being finished: they start when it has.
    private var waiting: [String: Pod] = [:]
    /// Static pods that wait for the one of the same name (A8).
    private var waitingByName: [String: Pod] = [:]
    private var isHalted = false
    private let started: AsyncStream<PodWorker>
    private let start: AsyncStream<PodWorker>.Continuation

    public init(context: PodDependencies, sources: [PodSource: AsyncStream<PodUpdate>]) {
        self.context = context
        self.sources = Array(sources.values)
        expectedSources = Set(sources.keys)
        (started, start) = AsyncStream.makeStream()
    }

    /// Runs until cancelled. Containers go on running afterwards.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for source in sources {
                group.addTask { for await update in source { await self.handle(update) } }
            }
            group.addTask {
                for await uid in self.context.host.changes { await self.poke(uid) }
            }
            group.addTask {
                for await news in self.context.probes.news { await self.tell(news) }
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
                if waitingByName[pod.fullName]?.metadata.uid == uid { waitingByName[pod.fullName] = nil }
                await workers[uid]?.remove()
            }
        case .snapshotComplete(let source):
            completeSources.insert(source)
            // Nothing is destroyed before every source has spoken: a pod is an orphan only if none has it.
            if completeSources == expectedSources { await endOrphans() }
        }
    }

    private func apply(_ pod: Pod) async {
        guard let uid = pod.metadata.uid, PodPlaces.isSafe(uid: uid) else { return }
        await context.statuses.observe(pod)
        if let worker = workers[uid] {
            if await worker.isRemoved { waiting[uid] = pod } else { await worker.update(pod) }
            return
        }
        if pod.isStatic, let name = staticName(pod), await isNameTaken(name) {
            // Two static pods of one name never run together: the newer waits for the older to end.
            waitingByName[name] = pod
            return
        }
        await add(pod)
    }

    private func staticName(_ pod: Pod) -> String? { pod.isStatic ? pod.fullName : nil }

    private func isNameTaken(_ name: String) async -> Bool {
        for worker in workers.values where await staticName(worker.pod) == name { return true }
        return false
    }

    private func add(_ pod: Pod) async {
        context.timelines.begin(pod)
        let worker = PodWorker(pod, context: context, failure: await rejection(of: pod))
        workers[worker.uid] = worker
        if pod.metadata.deletionTimestamp != nil { await worker.update(pod) }
        start.yield(worker)
    }

    /// Why this node does not take a pod. One that is on the node already was taken by an earlier agent, one that is ending or
    /// has ended needs nothing any more.
    private func rejection(of pod: Pod) async -> PodRejection? {
        if pod.metadata.deletionTimestamp != nil || pod.isTerminal { return nil }
        let observation = await context.host.observe(pod.metadata.uid ?? "")
        if observation.sandboxID != nil || !observation.containers.isEmpty { return nil }
        let unsupported = UnsupportedFields.find(in: pod)
        if !unsupported.isEmpty {
            return refuse(
                pod,
                PodRejection(
                    reason: "PodFeatureUnsupported",
                    message:
                        "Pod was rejected: this node does not support \(unsupported.joined(separator: ", "))"))
        }
        var others: [Pod] = []
        for worker in workers.values {
            let other = await worker.pod
            if await worker.failure == nil, !other.isTerminal { others.append(other) }
        }
        return await context.admission(pod, others).map { refuse(pod, $0) }
    }

    private func refuse(_ pod: Pod, _ rejection: PodRejection) -> PodRejection {
        context.events.record(
            ObjectReference(to: pod), type: .warning, reason: rejection.reason, message: rejection.message)
        context.logger.warning(
            "pod was rejected",
            metadata: ["pod": "\(pod.key)", "reason": "\(rejection.reason)", "message": "\(rejection.message)"])
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
        if let next = waiting.removeValue(forKey: worker.uid) { await add(next) }
        if let name = staticName(await worker.pod), let next = waitingByName.removeValue(forKey: name) {
            await add(next)
        }
    }

    /// What runs, or is still mounted, of pods that no source has.
    private func endOrphans() async {
        for pod in await context.host.remnants() where workers[pod.metadata.uid ?? ""] == nil {
            context.logger.info("pod is in no source, ending it", metadata: ["pod": "\(pod.key)"])
            context.timelines.begin(pod)
            let worker = PodWorker(pod, context: context)
            workers[worker.uid] = worker
            await worker.terminateAsOrphan()
            start.yield(worker)
        }
        await context.host.discardUnused()
    }

    // MARK: For the node's own interfaces

    public nonisolated var timelines: PodTimelineStore { context.timelines }

    public nonisolated var probes: PodProbes { context.probes }

    /// Every pod this node knows, as it sees it now.
    public func pods() async -> [Pod] {
        var pods: [Pod] = []
        for worker in workers.values { pods.append(await worker.pod) }
        return pods.sorted { $0.key < $1.key }
    }

    /// From now on this agent starts nothing and reports nothing: its pods are about to be ended under it.
    public func halt() async {
        isHalted = true
        context.timelines.nodeStops()
        for worker in workers.values { await worker.halt() }
    }
}
