internal import NIOCore

/// The last changes of one kind of object, and who is told about the next. Guarded by the lock of ``ResourceStore``.
struct WatchCache: Sendable {
    /// Changes kept for clients that come back; older ones must list again.
    static let historyLimit = 4096
    /// Bytes of encoded objects kept for them: large objects that change often leave fewer changes, not more memory.
    static let historyByteLimit = 2 << 20

    private var history = CircularBuffer<StoreEvent>()
    private var historyBytes = 0
    /// The version after which `history` has every change.
    private(set) var floor: Int64
    /// By what they look at, so that a change costs nothing to those who look elsewhere.
    private var watchers: [Watcher.Scope: [Int: Watcher]] = [:]
    private let limit: Int
    private let byteLimit: Int

    init(floor: Int64, limit: Int = WatchCache.historyLimit, byteLimit: Int = WatchCache.historyByteLimit) {
        self.floor = floor
        self.limit = max(1, limit)
        self.byteLimit = byteLimit
    }

    /// Records a change and offers it to every watcher of its namespace. A watcher whose buffer is full is closed.
    mutating func publish(_ event: StoreEvent) {
        history.append(event)
        historyBytes += event.object.json.count
        while history.count > limit || historyBytes > byteLimit, let gone = history.popFirst() {
            historyBytes -= gone.object.json.count
            floor = gone.resourceVersion
        }
        for scope in Watcher.Scope.all(covering: event.object.key) {
            guard let watchers = watchers[scope] else { continue }
            for watcher in watchers.values { watcher.send(.event(event)) }
        }
    }

    /// Every recorded change after `version`, oldest first; nil when some of them are gone.
    func events(after version: Int64) -> [StoreEvent]? {
        guard version >= floor else { return nil }
        guard let first = history.firstIndex(where: { $0.resourceVersion > version }) else { return [] }
        return Array(history[first...])
    }

    mutating func add(_ watcher: Watcher) { watchers[watcher.scope, default: [:]][watcher.id] = watcher }

    mutating func remove(_ watcher: Watcher) {
        watchers[watcher.scope]?[watcher.id] = nil
        if watchers[watcher.scope]?.isEmpty == true { watchers[watcher.scope] = nil }
    }

    /// Ends every watch: the client sees its stream end and comes back elsewhere or later.
    func finishAll() {
        for watcher in watchers.values.flatMap(\.values) { watcher.finish() }
    }

    var watcherCount: Int { watchers.values.reduce(0) { $0 + $1.count } }
}
