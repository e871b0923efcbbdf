/// Decides which key is worked on next: each key at most once at a time, changes meanwhile remembered once.
///
/// Pure; `now` is the time since any fixed instant.
struct WorkQueueStateMachine<Key: Hashable & Sendable> {
    enum Next: Hashable {
        case work(Key)
        /// Nothing to do now; the next delayed key is due then, if there is one.
        case idle(until: Duration?)
        case shutDown
    }

    private var ready: [Key] = []
    private var head = 0
    /// Waiting in `ready`, or to be put there when its present run ends.
    private var dirty = Set<Key>()
    private var working = Set<Key>()
    private var delayed: [Key: Duration] = [:]
    private var failures: [Key: Int] = [:]
    private var isShutDown = false
    private let policy: RetryPolicy

    init(policy: RetryPolicy) { self.policy = policy }

    /// Keys waiting or worked on, each counted once.
    var count: Int { dirty.union(working).union(delayed.keys).count }

    /// Asks for a run of `key` as soon as possible.
    mutating func add(_ key: Key) {
        guard !isShutDown else { return }
        delayed[key] = nil
        guard dirty.insert(key).inserted, !working.contains(key) else { return }
        ready.append(key)
    }

    /// Asks for a run at `due`; an earlier request for the same key stands.
    mutating func add(_ key: Key, due: Duration) {
        guard !isShutDown, !dirty.contains(key) else { return }
        delayed[key] = min(delayed[key] ?? due, due)
    }

    /// Asks for a run after the key's own back-off, which grows with every call until `forget`.
    mutating func addRateLimited(_ key: Key, retryAfterSeconds: Int?, now: Duration, random: Double) {
        let attempt = failures[key, default: 0]
        failures[key] = min(attempt + 1, 1_000)
        add(key, due: now + policy.delay(attempt: attempt, retryAfterSeconds: retryAfterSeconds, random: random))
    }

    /// The key works again: its back-off starts anew.
    mutating func forget(_ key: Key) { failures[key] = nil }

    /// How often the key has failed since the last `forget`.
    func failureCount(_ key: Key) -> Int { failures[key, default: 0] }

    mutating func next(now: Duration) -> Next {
        if isShutDown { return .shutDown }
        var earliest: Duration?
        var due: [(key: Key, at: Duration)] = []
        for (key, at) in delayed {
            if at <= now { due.append((key, at)) } else { earliest = min(earliest ?? at, at) }
        }
        for (key, _) in due.sorted(by: { $0.at < $1.at }) { add(key) }
        guard head < ready.count else { return .idle(until: earliest) }
        let key = ready[head]
        head += 1
        if head > 64, head * 2 > ready.count {
            ready.removeFirst(head)
            head = 0
        }
        dirty.remove(key)
        working.insert(key)
        return .work(key)
    }

    /// The run of `key` is over; returns whether it has to run again at once.
    mutating func done(_ key: Key) -> Bool {
        guard working.remove(key) != nil, dirty.contains(key), !isShutDown else { return false }
        ready.append(key)
        return true
    }

    /// No further key is handed out.
    mutating func shutDown() {
        isShutDown = true
        ready = []
        head = 0
        dirty = []
        delayed = [:]
    }
}
