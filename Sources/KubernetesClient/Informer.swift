public import KubernetesAPI
public import Logging
import Synchronization

/// Keeps a copy of one collection and tells its readers what changes in it.
///
/// The copy only ever shows what a complete list or a watch has said: while the server is away it stays as it was.
public final class Informer<T: KubernetesResource>: Sendable {
    private struct State {
        var machine: ReflectorStateMachine<T>
        var readers: [WeakReader] = []
    }

    private struct WeakReader {
        weak var queue: InformerEventQueue<T>?
    }

    private let source: any ResourceSource<T>
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let random: @Sendable () -> Double
    private let onHeld: @Sendable (_ held: [T], _ known: Int) -> Void
    private let state: Mutex<State>
    private let synced = WakeSignal()

    /// - Parameters:
    ///   - clock: measures watches and waits between attempts.
    ///   - random: uniform in 0..<1, spreads the attempts of many nodes.
    ///   - brake: keeps what a list lacks when that is too much to be believed; nil believes every complete list.
    ///   - onHeld: is told what is kept, and of how many.
    public init(
        source: any ResourceSource<T>, policy: RetryPolicy = .watch, clock: any Clock<Duration> = ContinuousClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }, brake: DeletionBrake? = nil,
        onHeld: @escaping @Sendable (_ held: [T], _ known: Int) -> Void = { _, _ in }, logger: Logger
    ) {
        self.source = source
        self.clock = clock
        self.random = random
        self.onHeld = onHeld
        var logger = logger
        logger[metadataKey: "resource"] = "\(T.definition.plural)"
        self.logger = logger
        state = Mutex(State(machine: ReflectorStateMachine<T>(policy: policy, brake: brake)))
    }

    /// Informs about a collection of an API server, narrowed by selectors.
    public convenience init(
        _ type: T.Type = T.self, client: APIClient, namespace: String? = nil, labelSelector: String = "",
        fieldSelector: String = "", brake: DeletionBrake? = nil,
        onHeld: @escaping @Sendable (_ held: [T], _ known: Int) -> Void = { _, _ in }, logger: Logger
    ) {
        self.init(
            source: APIResourceSource(
                T.self, client: client, namespace: namespace, labelSelector: labelSelector,
                fieldSelector: fieldSelector),
            brake: brake, onHeld: onHeld, logger: logger)
    }

    /// A complete list has been taken over since the start.
    public var hasSynced: Bool { state.withLock { $0.machine.hasSynced } }

    /// Returns true once `hasSynced`, false when the task is cancelled before.
    public func waitUntilSynced() async -> Bool {
        while !Task.isCancelled {
            let generation = synced.generation
            if hasSynced { return true }
            await synced.wait(after: generation)
        }
        return hasSynced
    }

    /// The last known state of one object.
    public func object(_ key: ObjectKey) -> T? { state.withLock { $0.machine.objects[key] } }

    /// Every object, as last known.
    public func snapshot() -> [ObjectKey: T] { state.withLock { $0.machine.objects } }

    /// A stream of its own for each caller: first what is known now, then every change. One reader per stream.
    public func events() -> AsyncStream<InformerEvent<T>> {
        let queue = InformerEventQueue<T>()
        state.withLock { state in
            state.readers.removeAll { $0.queue == nil }
            state.readers.append(WeakReader(queue: queue))
            // Under the lock, so that no change falls between what is known now and what comes later.
            var known = state.machine.objects.values.map { InformerEvent<T>.applied(old: nil, new: $0) }
            if state.machine.hasSynced { known.append(.initialListDone) }
            queue.append(known)
        }
        return AsyncStream { await queue.next() }
    }

    /// Lists and watches until the task is cancelled; then every stream ends.
    public func run() async {
        var step = state.withLock { $0.machine.start() }
        let reachability = source.reachability ?? Reachability()
        var generation = reachability.generation
        while !Task.isCancelled {
            switch step {
            case .list(let version): step = await list(version)
            case .watch(let version): step = await watch(version)
            case .wait(let duration):
                await reachability.pause(duration, after: generation, clock: clock)
                generation = reachability.generation
                if Task.isCancelled { continue }
                step = state.withLock { $0.machine.waited() }
            }
        }
        for reader in state.withLock({ $0.readers }) { reader.queue?.finish() }
    }
}

extension Informer {
    private func list(_ version: String) async -> ReflectorStateMachine<T>.Step {
        do {
            let list = try await source.list(resourceVersion: version)
            for object in list.undecodable { log(object) }
            let random = random()
            let (step, held, known) = advance { machine in
                let before = machine.held
                let (events, step) = machine.listed(list, random: random)
                let held = before.isEmpty ? machine.held.compactMap { machine.objects[$0] } : []
                return (events, (step, held, machine.objects.count))
            }
            if !held.isEmpty {
                logger.warning(
                    "a list lacks so much, or is so old, that it is not believed: what is missing is kept for now",
                    metadata: ["missing": "\(held.count)", "known": "\(known)"])
                onHeld(held, known)
            }
            return step
        } catch {
            if !error.isCancelled { logger.warning("list failed", metadata: ["error": "\(error)"]) }
            let random = random()
            return state.withLock { $0.machine.listFailed(error, random: random) }
        }
    }

    private func watch(_ version: String) async -> ReflectorStateMachine<T>.Step {
        let stopwatch = Stopwatch(clock)
        // Spread over 5 to 10 minutes: the watches of many nodes must not all be renewed in the same instant.
        var timeout = Self.shortestWatchSeconds + Int(Double(Self.shortestWatchSeconds) * random())
        if let limit = state.withLock({ $0.machine.watchLimit }) {
            timeout = min(timeout, Int(limit.components.seconds))
        }
        let (error, received) = await consume(version, timeoutSeconds: timeout)
        if let error, !error.isCancelled, !error.isExpired {
            logger.info("watch failed", metadata: ["error": "\(error)"])
        }
        let random = random()
        let lasted = stopwatch.elapsed
        return state.withLock {
            $0.machine.watchEnded(error, lasted: lasted, receivedEvents: received, random: random)
        }
    }

    private static var shortestWatchSeconds: Int { 300 }
    /// A server that has not ended the watch this long after it should is not there any more.
    private static var watchGraceSeconds: Int { 30 }

    private enum WatchOutcome: Sendable {
        case ended(APIError?, received: Bool)
        case overdue
    }

    private func consume(_ version: String, timeoutSeconds: Int) async -> (error: APIError?, received: Bool) {
        let deadline = Duration.seconds(timeoutSeconds + Self.watchGraceSeconds)
        let outcome = await withTaskGroup(of: WatchOutcome.self) { group in
            group.addTask { await self.readWatch(version, timeoutSeconds: timeoutSeconds) }
            group.addTask {
                try? await self.clock.sleep(for: deadline, tolerance: nil)
                return .overdue
            }
            let first = await group.next() ?? .overdue
            group.cancelAll()
            return first
        }
        switch outcome {
        case .ended(let error, let received): return (error, received)
        case .overdue: return (nil, true)
        }
    }

    private func readWatch(_ version: String, timeoutSeconds: Int) async -> WatchOutcome {
        var received = false
        do {
            for try await event in source.watch(resourceVersion: version, timeoutSeconds: timeoutSeconds) {
                received = true
                if case .undecodable(let object, _) = event { log(object) }
                advance { ($0.received(event), ()) }
            }
            return .ended(nil, received: received)
        } catch {
            return .ended(APIError(transportError: error, request: "WATCH \(T.definition.plural)"), received: received)
        }
    }

    /// Moves the machine and hands its events to the readers as one step, so that all see the same order.
    @discardableResult
    private func advance<Result: Sendable>(
        _ move: (inout ReflectorStateMachine<T>) -> ([InformerEvent<T>], Result)
    ) -> Result {
        let (result, becameSynced) = state.withLock { state in
            let before = state.machine.hasSynced
            let (events, result) = move(&state.machine)
            // Appending never calls back: it stores the events and marks the reader's task runnable.
            for reader in state.readers { reader.queue?.append(events) }
            return (result, state.machine.hasSynced && !before)
        }
        if becameSynced { synced.signal() }
        return result
    }

    private func log(_ object: UndecodableObject) {
        logger.warning(
            "object cannot be read, its last state is kept",
            metadata: ["object": "\(object.key?.description ?? "?")", "error": "\(object.message)"])
    }
}
