public import ContainerRuntime
public import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import PodNetwork
import Volumes

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
                for await event in self.context.runtime.events { await self.poke(event.metadata.podUID) }
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
        let worker = PodWorker(pod, context: context)
        workers[worker.uid] = worker
        if pod.metadata.deletionTimestamp != nil { await worker.update(pod) }
        start.yield(worker)
    }

    private func poke(_ uid: String) { workers[uid]?.poke() }

    private func finished(_ worker: PodWorker) async {
        workers[worker.uid] = nil
        if let next = waiting.removeValue(forKey: worker.uid) { await add(next) }
        if let name = staticName(await worker.pod), let next = waitingByName.removeValue(forKey: name) {
            await add(next)
        }
    }

    /// What runs, or is still mounted, of pods that no source has.
    private func endOrphans() async {
        var orphans: [String: Pod] = [:]
        for sandbox in await context.runtime.sandboxes() where workers[sandbox.podUID] == nil {
            orphans[sandbox.podUID] = Pod(
                metadata: ObjectMeta(name: sandbox.podName, namespace: sandbox.podNamespace, uid: sandbox.podUID))
        }
        for instance in await context.runtime.containers() where workers[instance.metadata.podUID] == nil {
            let metadata = instance.metadata
            orphans[metadata.podUID] = Pod(
                metadata: ObjectMeta(name: metadata.podName, namespace: metadata.podNamespace, uid: metadata.podUID))
        }
        for uid in (try? await context.volumes.podUIDsOnDisk()) ?? [] where workers[uid] == nil && orphans[uid] == nil {
            orphans[uid] = Pod(metadata: ObjectMeta(uid: uid))
        }
        for pod in orphans.values.sorted(by: { $0.key < $1.key }) {
            context.logger.info("pod is in no source, ending it", metadata: ["pod": "\(pod.key)"])
            let worker = PodWorker(pod, context: context)
            workers[worker.uid] = worker
            await worker.terminateAsOrphan()
            start.yield(worker)
        }
        await context.network.retain(sandboxIDs: Set(await context.runtime.sandboxes().map(\.id)))
    }

    // MARK: For the node's own interfaces

    public nonisolated var runtime: RuntimeService { context.runtime }
    public nonisolated var configuration: NodeAgentConfiguration { context.configuration }

    /// A pod's cgroup, below the node's root; nil for a pod whose UID is no safe name.
    public static func cgroupPath(of pod: Pod) -> String? {
        PodPlaces.isSafe(uid: pod.metadata.uid ?? "") ? PodPlaces.cgroup(pod) : nil
    }

    /// Instances of one container, newest first.
    func instances(ofPod uid: String, container: String) async -> [ContainerInstance] {
        await context.runtime.containers(ofPod: uid).filter { $0.metadata.name == container }
            .sorted { $0.metadata.attempt > $1.metadata.attempt }
    }

    /// Every pod this node knows, as it sees it now.
    public func pods() async -> [Pod] {
        var pods: [Pod] = []
        for worker in workers.values { pods.append(await worker.pod) }
        return pods.sorted { $0.key < $1.key }
    }

    /// From now on this agent starts nothing and reports nothing: its pods are about to be ended under it.
    public func halt() async {
        isHalted = true
        for worker in workers.values { await worker.halt() }
    }
}
