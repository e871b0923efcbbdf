import Synchronization

/// Keys to reconcile: many producers, many workers, never two workers on one key.
public final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private let state: Mutex<WorkQueueStateMachine<Key>>
    private let wake = WakeSignal()
    private let clock: any Clock<Duration>
    private let uptime: Stopwatch
    private let random: @Sendable () -> Double

    /// - Parameter policy: the back-off of each key.
    public init(
        policy: RetryPolicy = RetryPolicy(initialDelay: .milliseconds(50), maximumDelay: .seconds(300)),
        clock: any Clock<Duration> = ContinuousClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        state = Mutex(WorkQueueStateMachine(policy: policy))
        self.clock = clock
        uptime = Stopwatch(clock)
        self.random = random
    }

    /// Keys waiting or worked on.
    public var count: Int { state.withLock { $0.count } }

    public func add(_ key: Key) {
        state.withLock { $0.add(key) }
        wake.signal()
    }

    public func add(_ key: Key, after delay: Duration) {
        let due = uptime.elapsed + delay
        state.withLock { $0.add(key, due: due) }
        wake.signal()
    }

    /// Adds after the key's back-off, or what the server asked for if that is longer.
    public func addRateLimited(_ key: Key, retryAfterSeconds: Int? = nil) {
        let (now, random) = (uptime.elapsed, random())
        state.withLock { $0.addRateLimited(key, retryAfterSeconds: retryAfterSeconds, now: now, random: random) }
        wake.signal()
    }

    public func forget(_ key: Key) { state.withLock { $0.forget(key) } }

    /// The next key; to be answered with `done`. Nil when shut down or the task is cancelled.
    public func next() async -> Key? {
        while !Task.isCancelled {
            let generation = wake.generation
            let now = uptime.elapsed
            switch state.withLock({ $0.next(now: now) }) {
            case .work(let key): return key
            case .shutDown: return nil
            case .idle(let due):
                await wake.wait(after: generation, atMost: due.map { $0 - now }, clock: clock)
            }
        }
        return nil
    }

    /// Work on a key from `next` has ended.
    public func done(_ key: Key) {
        if state.withLock({ $0.done(key) }) { wake.signal() }
    }

    /// Workers get nil from now on.
    public func shutDown() {
        state.withLock { $0.shutDown() }
        wake.signal()
    }
}
