/// The last changes of one kind of object, and who is told about the next. Guarded by the lock of ``ResourceStore``.
struct WatchCache: Sendable {
    /// Changes kept for clients that come back; older ones must list again.
    static let historyLimit = 4096
    /// Changes a slow client may lag behind before its watch is closed. Bounded so that it cannot hold memory.
    static let watcherBufferLimit = 1024

    private var history: [StoreEvent] = []
    /// Index of the oldest event in `history` once it is full and overwritten in a circle.
    private var oldest = 0
    /// The version after which `history` has every change.
    private(set) var floor: Int64
    private var watchers: [Int: Watcher] = [:]
    private let limit: Int

    init(floor: Int64, limit: Int = WatchCache.historyLimit) {
        self.floor = floor
        self.limit = max(1, limit)
    }

    /// Records a change and offers it to every watcher of its namespace. A watcher whose buffer is full is closed.
    mutating func publish(_ event: StoreEvent) {
        if history.count < limit {
            history.append(event)
        } else {
            floor = history[oldest].resourceVersion
            history[oldest] = event
            oldest = (oldest + 1) % limit
        }
        for watcher in watchers.values where watcher.covers(event.object.key) {
            watcher.send(.event(event))
        }
    }

    /// Every recorded change after `version`, oldest first; nil when some of them are gone.
    func events(after version: Int64) -> [StoreEvent]? {
        guard version >= floor else { return nil }
        let ordered = history[oldest...] + history[..<oldest]
        guard let first = ordered.firstIndex(where: { $0.resourceVersion > version }) else { return [] }
        return Array(ordered[first...])
    }

    mutating func add(_ watcher: Watcher) { watchers[watcher.id] = watcher }
    mutating func remove(_ id: Int) { watchers[id] = nil }

    func bookmark(_ version: Int64) {
        for watcher in watchers.values { watcher.send(.bookmark(resourceVersion: version)) }
    }

    /// Ends every watch: the client sees its stream end and comes back elsewhere or later.
    func finishAll() {
        for watcher in watchers.values { watcher.finish() }
    }

    var watcherCount: Int { watchers.count }
}

/// One open watch: a bounded queue between the writer and one client.
final class Watcher: Sendable {
    let id: Int
    let messages: AsyncStream<WatchMessage>
    private let continuation: AsyncStream<WatchMessage>.Continuation
    private let namespace: String?
    private let name: String?

    /// - Parameters:
    ///   - namespace: only objects of this namespace; nil for all.
    ///   - name: only the object of this name; nil for all.
    init(id: Int, namespace: String?, name: String?, bufferLimit: Int = WatchCache.watcherBufferLimit) {
        self.id = id
        self.namespace = namespace
        self.name = name
        (messages, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(bufferLimit))
    }

    func covers(_ key: ObjectKey) -> Bool {
        (namespace == nil || key.namespace == namespace) && (name == nil || key.name == name)
    }

    /// Queues a message. A full queue ends the watch: a gap must never be followed by a later change.
    func send(_ message: WatchMessage) {
        if case .dropped = continuation.yield(message) { continuation.finish() }
    }

    func finish() { continuation.finish() }
}
