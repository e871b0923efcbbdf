import KubernetesAPI
public import KubernetesClient
public import Logging
public import ServiceLifecycle
import Synchronization

/// Deletes what nobody owns any more: objects whose owners are all gone, in the order their deletion asked for.
///
/// It follows the metadata of every kind the server lists and can delete, found out at the start.
public final class GarbageCollector: Controller, ServiceLifecycle.Service {
    public let name = "garbage-collector"

    private struct State {
        var graph = GarbageGraph()
        var kinds: [String: ResourceDefinition] = [:]
        var unsynced = 0
    }

    private let client: APIClient
    private let queue = WorkQueue<String>()
    private let state = Mutex(State())
    private let logger: Logger

    public init(client: APIClient, logger: Logger) {
        self.client = client
        self.logger = logger
    }

    /// Collects until cancelled or asked to shut down.
    public func run() async throws {
        await cancelWhenGracefulShutdown { await self.collect() }
    }

    private func collect() async {
        let kinds = await discover()
        let informers = kinds.map { kind in
            Informer<ObjectRecord>(source: ObjectRecordSource(client: client, definition: kind), logger: logger)
        }
        state.withLock { state in
            for kind in kinds { state.kinds["\(kind.apiVersion)/\(kind.kind)"] = kind }
            state.unsynced = informers.count
        }
        await withTaskGroup(of: Void.self) { group in
            for (informer, kind) in zip(informers, kinds) {
                let events = informer.events()
                group.addTask { await informer.run() }
                group.addTask { await self.follow(events, kind) }
            }
            group.addTask { await ControllerLoop(self, queue: self.queue, logger: self.logger).run(workers: 2) }
        }
    }

    /// Asks again until the server answers, or the task is cancelled.
    private func discover() async -> [ResourceDefinition] {
        var backoff = Duration.milliseconds(100)
        while !Task.isCancelled {
            do throws(APIError) {
                return try await client.collectableKinds()
            } catch {
                logger.debug("kinds not known yet", metadata: ["error": "\(error)"])
            }
            try? await ContinuousClock().sleep(for: backoff)
            backoff = min(backoff * 2, .seconds(10))
        }
        return []
    }

    private func follow(_ events: AsyncStream<InformerEvent<ObjectRecord>>, _ kind: ResourceDefinition) async {
        for await event in events {
            switch event {
            case .applied(_, let object):
                enqueue(state.withLock { $0.graph.apply(object.node(kind)) })
            case .deleted(let object):
                enqueue(state.withLock { $0.graph.remove(object.metadata.uid ?? "") })
            case .initialListDone:
                // Only when everything is known can an owner be missed.
                let all = state.withLock { state -> [String] in
                    state.unsynced -= 1
                    return state.unsynced == 0 ? Array(state.graph.nodes.keys) : []
                }
                enqueue(Set(all))
            case .undecodable: continue
            }
        }
    }

    private func enqueue(_ uids: Set<String>) {
        for uid in uids { queue.add(uid) }
    }

    public func reconcile(_ uid: String) async throws -> ReconcileResult {
        let (ready, unknown, node) = state.withLock {
            ($0.unsynced == 0, $0.graph.unknownOwners(of: uid), $0.graph.nodes[uid])
        }
        guard ready, let node else { return .done }
        var absent: Set<String> = []
        for owner in unknown where try await !exists(owner, namespace: node.key.namespace) { absent.insert(owner.uid) }
        guard let action = state.withLock({ $0.graph.decide(uid, absent: absent) }) else { return .done }
        switch action {
        case .delete(let policy): try await delete(node, policy: policy)
        case .dropOwners(let uids): try await dropOwners(uids, of: node)
        case .removeFinalizer(let name): try await removeFinalizer(name, of: node)
        case .visit(let uids): enqueue(uids)
        case .release(let uids):
            for dependent in state.withLock({ $0.graph.dependents(of: uid) }) where uids.contains(dependent.uid) {
                try await dropOwners([uid], of: dependent)
            }
        }
        return .done
    }

    /// Asks the server itself. An owner of a kind that is not served counts as there: nothing is deleted on a guess.
    private func exists(_ owner: OwnerReference, namespace: String) async throws(APIError) -> Bool {
        guard let kind = state.withLock({ $0.kinds["\(owner.apiVersion)/\(owner.kind)"] }) else { return true }
        let path = kind.path(namespace: kind.namespaced ? namespace : nil, name: owner.name)
        do {
            let found: ObjectRecord = try await client.record(APIRequest(.get, path))
            return found.metadata.uid == owner.uid
        } catch {
            if error.isNotFound { return false }
            throw error
        }
    }

    private func delete(_ node: GarbageGraph.Node, policy: String) async throws(APIError) {
        let options = DeleteOptions(preconditions: Preconditions(uid: node.uid), propagationPolicy: policy)
        let path = node.definition.path(namespace: node.key.namespace, name: node.key.name)
        try await attempt(APIRequest(.delete, path, body: Self.bytes(options)))
        logger.debug(
            "object without owners deleted", metadata: ["kind": "\(node.definition.kind)", "key": "\(node.key)"])
    }

    private func dropOwners(_ uids: Set<String>, of node: GarbageGraph.Node) async throws(APIError) {
        let kept = node.owners.filter { !uids.contains($0.uid) }
        try await patch(node, ["ownerReferences": (try? JSONValueEncoder().encode(kept)) ?? []])
    }

    private func removeFinalizer(_ name: String, of node: GarbageGraph.Node) async throws(APIError) {
        let kept = node.finalizers.filter { $0 != name }
        try await patch(node, ["finalizers": .array(kept.map(JSONValue.string))])
    }

    private func patch(_ node: GarbageGraph.Node, _ metadata: JSONValue) async throws(APIError) {
        var metadata = metadata
        metadata["uid"] = .string(node.uid)
        metadata["resourceVersion"] = .string(node.resourceVersion)
        let body: JSONValue = ["metadata": metadata]
        let path = node.definition.path(namespace: node.key.namespace, name: node.key.name)
        try await attempt(
            APIRequest(.patch, path, body: body.serialized(), contentType: PatchType.merge.rawValue))
    }

    /// Gone, or changed since: its event brings another run.
    private func attempt(_ request: APIRequest) async throws(APIError) {
        do {
            _ = try await client.send(request)
        } catch {
            if !error.isNotFound, !error.isConflict { throw error }
        }
    }

    private static func bytes(_ options: DeleteOptions) -> [UInt8] {
        ((try? JSONValueEncoder().encode(options)) ?? [:]).serialized()
    }
}
