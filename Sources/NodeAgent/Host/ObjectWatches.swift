import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization

/// The watches of all objects of one kind that pods of this node follow.
final class ObjectWatches<T: FreezableResource>: Sendable {
    private struct State {
        var ledger = WatchLedger()
        var watches: [ObjectKey: ObjectWatch<T>] = [:]
    }

    private let source: @Sendable (ObjectKey) -> any ResourceSource<T>
    private let changed: @Sendable (_ podUID: String) -> Void
    private let logger: Logger
    private let state = Mutex(State())
    private let started: AsyncStream<ObjectWatch<T>>
    private let start: AsyncStream<ObjectWatch<T>>.Continuation

    /// - Parameter changed: a file of this pod may be older than its object.
    init(
        logger: Logger, source: @escaping @Sendable (ObjectKey) -> any ResourceSource<T>,
        changed: @escaping @Sendable (_ podUID: String) -> Void
    ) {
        self.logger = logger
        self.source = source
        self.changed = changed
        (started, start) = AsyncStream.makeStream()
    }

    /// Watches until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await watch in started {
                group.addTask { await watch.run { self.tell(watch.key) } }
            }
        }
    }

    /// From now on the pod follows exactly these objects.
    func follow(_ keys: Set<ObjectKey>, for podUID: String) {
        let (new, old) = state.withLock { state in
            let change = state.ledger.set(keys, for: podUID)
            let old = change.stopped.compactMap { state.watches.removeValue(forKey: $0) }
            let new = change.started.map { ObjectWatch($0, source: source($0), logger: logger) }
            for watch in new { state.watches[watch.key] = watch }
            return (new, old)
        }
        for watch in old { watch.stop() }
        for watch in new { start.yield(watch) }
    }

    /// What is known of an object without asking the server.
    func knowledge(of key: ObjectKey) -> ObjectWatch<T>.Knowledge {
        state.withLock { $0.watches[key] }?.knowledge ?? .unknown
    }

    /// The server was asked directly, and this is what it had.
    func note(_ object: T?, at key: ObjectKey) {
        let (isNews, renewed) = state.withLock { state -> (Bool, ObjectWatch<T>?) in
            switch state.watches[key]?.note(object) {
            case nil, .known: return (false, nil)
            case .news: return (true, nil)
            case .another:
                let renewed = ObjectWatch(key, source: source(key), logger: logger)
                _ = renewed.note(object)
                state.watches[key] = renewed
                return (true, renewed)
            }
        }
        if let renewed { start.yield(renewed) }
        // Also to whoever asked, who finds nothing new: which pod that was is not known here.
        if isNews { tell(key) }
    }

    /// How many objects are followed.
    var count: Int { state.withLock { $0.watches.count } }

    private func tell(_ key: ObjectKey) {
        for uid in state.withLock({ $0.ledger.pods(using: key) }) { changed(uid) }
    }
}
