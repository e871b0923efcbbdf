public import KubernetesAPI
public import KubernetesClient
public import Logging
public import ServiceLifecycle
import Synchronization

/// Assigns pending pods to nodes, one at a time, for an API server that has no scheduler of its own.
///
/// A pod no node takes is looked at again whenever a node or a pod changes in a way that may matter.
public final class Scheduler: Controller, ServiceLifecycle.Service {
    public let name = "scheduler"

    private let pods: Informer<Pod>
    private let nodes: Informer<Node>
    private let assignment: any PodAssignment
    /// Nil for a scheduler that does not look at volumes.
    let volumes: SchedulerVolumes?
    private let recorder: EventRecorder
    private let queue: WorkQueue<ObjectKey>
    private let wallClock: @Sendable () -> Timestamp
    private let logger: Logger
    /// Pods bound here whose binding the informer has not shown yet: uid to node. Without it the next decision would
    /// give the same room away twice.
    private let assumed = Mutex<[String: String]>([:])

    /// Another look at a pod nobody takes, should a change ever be missed.
    static let safetyNetInterval = Duration.seconds(300)

    public convenience init(
        client: APIClient, pods: Informer<Pod>, nodes: Informer<Node>, volumes: SchedulerVolumes, logger: Logger
    ) {
        self.init(
            pods: pods, nodes: nodes, assignment: client,
            recorder: EventRecorder(component: SchedulingDecision.schedulerName, sink: client, logger: logger),
            queue: WorkQueue(), volumes: volumes, logger: logger)
    }

    /// - Parameters:
    ///   - pods: of all namespaces and all nodes; run by the scheduler, as are `nodes` and `recorder`.
    public init(
        pods: Informer<Pod>, nodes: Informer<Node>, assignment: any PodAssignment, recorder: EventRecorder,
        queue: WorkQueue<ObjectKey>, volumes: SchedulerVolumes? = nil,
        wallClock: @escaping @Sendable () -> Timestamp = { .now() }, logger: Logger
    ) {
        self.pods = pods
        self.nodes = nodes
        self.assignment = assignment
        self.recorder = recorder
        self.queue = queue
        self.volumes = volumes
        self.wallClock = wallClock
        self.logger = logger
    }

    /// Schedules until cancelled or asked to shut down; in the latter case events still waiting are written.
    public func run() async throws {
        let podEvents = pods.events()
        let nodeEvents = nodes.events()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.recorder.run() }
            await cancelWhenGracefulShutdown {
                await withTaskGroup(of: Void.self) { work in
                    work.addTask { await self.pods.run() }
                    work.addTask { await self.nodes.run() }
                    work.addTask { await self.follow(podEvents) }
                    work.addTask { await self.follow(nodeEvents) }
                    work.addTask { await self.followVolumes() }
                    // One worker: each decision must see the room the one before has given away.
                    work.addTask { await ControllerLoop(self, queue: self.queue, logger: self.logger).run(workers: 1) }
                }
            }
            recorder.finish()
        }
    }

    public func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        // The end of the missing list enqueues every pending pod.
        guard pods.hasSynced, nodes.hasSynced else { return .done }
        let known = withAssumptions(pods.snapshot())
        guard let pod = known[key] else { return .done }
        let (all, others) = (Array(nodes.snapshot().values), Array(known.values))
        let decision: SchedulingDecision
        switch try await lookAtVolumes(of: pod, nodes: all, pods: others) {
        case .nodes(let nodes): decision = SchedulingDecision.decide(pod, nodes: nodes, pods: others)
        case .nowhere(let message): decision = .unschedulable(message: message)
        case .waits: return .requeue(after: Self.safetyNetInterval)
        }
        switch decision {
        case .notOurs: return .done
        case .gated:
            try await mark(
                pod, reason: "SchedulingGated",
                message: "Scheduling is blocked due to non-empty scheduling gates")
            return .done
        case .unschedulable(let message):
            recorder.record(
                ObjectReference(to: pod), type: .warning, reason: "FailedScheduling", message: message)
            try await mark(pod, reason: "Unschedulable", message: message)
            return .requeue(after: Self.safetyNetInterval)
        case .bind(let nodeName):
            try await bind(pod, key: key, to: nodeName)
            return .done
        }
    }

    private func bind(_ pod: Pod, key: ObjectKey, to nodeName: String) async throws(APIError) {
        do {
            try await assignment.bind(pod, to: nodeName)
        } catch {
            // Bound by someone else or gone: the informer will show which.
            if error.isConflict || error.isNotFound { return }
            throw error
        }
        if let uid = pod.metadata.uid { assumed.withLock { $0[uid] = nodeName } }
        logger.info("pod assigned", metadata: ["pod": "\(key)", "node": "\(nodeName)"])
        recorder.record(
            ObjectReference(to: pod), reason: "Scheduled",
            message: "Successfully assigned \(key.description) to \(nodeName)")
    }

    /// Writes `PodScheduled=False` unless it says so already.
    private func mark(_ pod: Pod, reason: String, message: String) async throws(APIError) {
        let old = pod.status?.conditions?.first { $0.type == "PodScheduled" }
        if let old, old.status == "False", old.reason == reason, old.message == message { return }
        let transition = old?.status == "False" ? old?.lastTransitionTime ?? wallClock() : wallClock()
        let condition = PodCondition(
            type: "PodScheduled", status: "False", lastTransitionTime: transition, reason: reason, message: message)
        do {
            try await assignment.setCondition(condition, of: pod)
        } catch {
            if error.isNotFound || error.isConflict { return }
            throw error
        }
    }

    /// What the informer shows, with bindings it does not show yet; forgets those it does.
    private func withAssumptions(_ snapshot: [ObjectKey: Pod]) -> [ObjectKey: Pod] {
        assumed.withLock { assumed in
            guard !assumed.isEmpty else { return snapshot }
            var result = snapshot
            var pending: [String: String] = [:]
            for (key, pod) in snapshot {
                guard let uid = pod.metadata.uid, let node = assumed[uid], (pod.spec.nodeName ?? "").isEmpty else {
                    continue
                }
                result[key]?.spec.nodeName = node
                pending[uid] = node
            }
            assumed = pending
            return result
        }
    }
}

extension Scheduler {
    private func follow(_ events: AsyncStream<InformerEvent<Pod>>) async {
        for await event in events {
            switch event {
            case .initialListDone: enqueuePending()
            case .applied(let old, let new):
                if SchedulingDecision.isPending(new) {
                    // Status is written here and by others all the time; it decides nothing.
                    if old?.spec != new.spec { queue.add(ObjectKey(new.metadata)) }
                } else if let old, !SchedulingDecision.isFinished(old), SchedulingDecision.isFinished(new) {
                    enqueuePending()
                }
            case .deleted: enqueuePending()
            case .undecodable: continue
            }
        }
    }

    private func follow(_ events: AsyncStream<InformerEvent<Node>>) async {
        for await event in events {
            switch event {
            case .initialListDone: enqueuePending()
            case .applied(let old, let new):
                if Self.matters(old, new) { enqueuePending() }
            case .deleted: enqueuePending()
            case .undecodable: continue
            }
        }
    }

    /// Whether a node may take other pods than before; its heartbeats change nothing.
    private static func matters(_ old: Node?, _ new: Node) -> Bool {
        guard let old else { return true }
        return old.spec != new.spec || old.metadata.labels != new.metadata.labels
            || old.status?.allocatable != new.status?.allocatable || conditions(old) != conditions(new)
    }

    /// Without their times.
    private static func conditions(_ node: Node) -> [String: String] {
        Dictionary((node.status?.conditions ?? []).map { ($0.type, $0.status) }) { first, _ in first }
    }

    /// The most important first, then the oldest.
    func enqueuePending() {
        let pending = pods.snapshot().values.filter(SchedulingDecision.isPending)
        let ordered = pending.sorted { left, right in
            let (leftPriority, rightPriority) = (left.spec.priority ?? 0, right.spec.priority ?? 0)
            if leftPriority != rightPriority { return leftPriority > rightPriority }
            let (leftAge, rightAge) = (left.metadata.creationTimestamp, right.metadata.creationTimestamp)
            if let leftAge, let rightAge, leftAge != rightAge { return leftAge < rightAge }
            return (left.metadata.name ?? "") < (right.metadata.name ?? "")
        }
        for pod in ordered { queue.add(ObjectKey(pod.metadata)) }
    }
}
