public import KubernetesAPI
public import KubernetesClient
public import Logging
import Synchronization

/// The calls mirror pods need.
public protocol MirrorPodWriting: Sendable {
    func createPod(_ pod: Pod) async throws(APIError) -> Pod
    func deletePod(namespace: String, name: String, options: DeleteOptions) async throws(APIError)
}

extension APIClient: MirrorPodWriting {
    public func createPod(_ pod: Pod) async throws(APIError) -> Pod { try await create(pod) }
}

/// Keeps one object in the API for each static pod, so that people and controllers can see it there.
///
/// The object only shows: deleting or changing it changes nothing on the node.
public final class MirrorPods: Sendable {
    private struct State {
        var staticPods: [ObjectKey: Pod] = [:]
        var mirrors: [ObjectKey: Pod] = [:]
        var refusals: [ObjectKey: Refusal] = [:]
        var nodeUID: String?
        /// Sources of static pods that have not told everything yet.
        var incompleteSources: Set<PodSource>
        var mirrorsComplete = false
    }

    /// The server said no to the mirror of one definition of a static pod.
    private struct Refusal: Hashable {
        var definition: String?
        var code: APIError.Code
    }

    private let client: any MirrorPodWriting
    private let statuses: PodStatusManager
    private let nodeName: String
    private let events: EventRecorder
    private let logger: Logger
    private let queue: WorkQueue<ObjectKey>
    private let state: Mutex<State>

    /// - Parameters:
    ///   - statuses: is told which mirror shows which static pod.
    ///   - events: hears of mirrors that the server refuses.
    ///   - staticSources: all that tell of static pods: only when each has told everything, a mirror without a pod is
    ///     an orphan.
    public init(
        client: any MirrorPodWriting, statuses: PodStatusManager, nodeName: String, events: EventRecorder,
        staticSources: Set<PodSource> = [.file], queue: WorkQueue<ObjectKey> = WorkQueue(), logger: Logger
    ) {
        self.client = client
        self.statuses = statuses
        self.nodeName = nodeName
        self.events = events
        self.queue = queue
        self.logger = logger
        state = Mutex(State(incompleteSources: staticSources))
    }

    /// Creates and deletes mirrors until cancelled.
    public func run() async {
        await ControllerLoop(MirrorPodController(mirrors: self), queue: queue, logger: logger).run()
    }

    /// The node is registered under this UID; before, no mirror can be created.
    public func setNode(uid: String) {
        let keys = state.withLock { state -> [ObjectKey] in
            guard state.nodeUID != uid else { return [] }
            state.nodeUID = uid
            return Array(state.staticPods.keys)
        }
        for key in keys { queue.add(key) }
    }

    // MARK: Told by the sources

    func apply(staticPod pod: Pod) { change(pod) { $0.staticPods[$1] = pod } }

    func remove(staticPod pod: Pod) {
        change(pod) { state, key in
            // A new definition of the same name may have been told before the end of the old one.
            if state.staticPods[key]?.metadata.uid == pod.metadata.uid { state.staticPods[key] = nil }
        }
    }

    func apply(mirror pod: Pod) { change(pod) { $0.mirrors[$1] = pod } }

    func remove(mirror pod: Pod) {
        change(pod) { state, key in
            if state.mirrors[key]?.metadata.uid == pod.metadata.uid { state.mirrors[key] = nil }
        }
    }

    func staticPodsComplete(_ source: PodSource = .file) { complete { $0.incompleteSources.remove(source) } }

    func mirrorsComplete() { complete { $0.mirrorsComplete = true } }

    private func change(_ pod: Pod, _ body: (inout State, ObjectKey) -> Void) {
        let key = ObjectKey(pod.metadata)
        state.withLock { body(&$0, key) }
        queue.add(key)
    }

    private func complete(_ body: (inout State) -> Void) {
        let keys = state.withLock { state in
            body(&state)
            return Set(state.staticPods.keys).union(state.mirrors.keys)
        }
        for key in keys { queue.add(key) }
    }

    // MARK: Acting

    fileprivate func reconcile(_ key: ObjectKey) async throws(APIError) -> ReconcileResult {
        let now = state.withLock { $0 }
        let (pod, mirror) = (now.staticPods[key], now.mirrors[key])
        await tellStatuses(pod, mirror)
        // Before the first list a mirror may be there already.
        guard now.mirrorsComplete else { return .done }
        let decision = MirrorPodDecision.decide(
            staticPod: pod, mirror: mirror, isComplete: now.incompleteSources.isEmpty,
            node: now.nodeUID.map { (nodeName, $0) })
        switch decision {
        case .none: state.withLock { $0.refusals[key] = nil }
        case .create(let wanted):
            do {
                let created = try await client.createPod(wanted)
                // Usually ahead of the watch; what the watch has told meanwhile is newer.
                state.withLock { if $0.mirrors[key] == nil { $0.mirrors[key] = created } }
                queue.add(key)
            } catch {
                // The watch will tell of it.
                if error.isAlreadyExists { return .done }
                guard error.httpStatus != nil, !error.isRetryable, !error.isConflict else { throw error }
                tell(of: error, creating: wanted, key)
                // Its reason may go away without the definition changing: a namespace appears, a quota grows.
                return .retry
            }
        case .delete(let old):
            do {
                try await client.deletePod(
                    namespace: key.namespace, name: key.name,
                    options: DeleteOptions(
                        gracePeriodSeconds: 0, preconditions: Preconditions(uid: old.metadata.uid)))
            } catch {
                guard error.isNotFound || error.isConflict else { throw error }
            }
            // Gone, or another one: either way the one known here is no more.
            state.withLock { if $0.mirrors[key]?.metadata.uid == old.metadata.uid { $0.mirrors[key] = nil } }
            queue.add(key)
        }
        return .done
    }

    /// Once for each definition and kind of refusal: the pod itself runs, it is only not seen in the API.
    private func tell(of error: APIError, creating mirror: Pod, _ key: ObjectKey) {
        let refusal = Refusal(definition: mirror.mirroredHash, code: error.code)
        let (isNews, nodeUID) = state.withLock { state in
            (state.refusals.updateValue(refusal, forKey: key) != refusal, state.nodeUID)
        }
        guard isNews else { return }
        logger.warning(
            "mirror of a static pod refused; the pod runs without one",
            metadata: ["pod": "\(key)", "error": "\(error)"])
        // About the node: there is no pod in the API to which it could be attached.
        events.record(
            ObjectReference(
                kind: Node.definition.kind, name: nodeName, uid: nodeUID, apiVersion: Node.definition.apiVersion),
            type: .warning, reason: "FailedCreateMirrorPod",
            message: "Static pod \(key) runs, but is not shown in the API: \(error.message)")
    }

    private func tellStatuses(_ pod: Pod?, _ mirror: Pod?) async {
        let hash = mirror?.mirroredHash
        if let uid = pod?.metadata.uid { await statuses.setMirror(hash == uid ? mirror : nil, forStaticUID: uid) }
        // The definition has changed or gone, its mirror shows nothing any more.
        if let hash, hash != pod?.metadata.uid { await statuses.setMirror(nil, forStaticUID: hash) }
    }
}

/// The controller's face of `MirrorPods`.
private struct MirrorPodController: Controller {
    let name = "mirror-pods"
    let mirrors: MirrorPods

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        try await mirrors.reconcile(key)
    }
}
