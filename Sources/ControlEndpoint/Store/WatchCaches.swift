/// One ``WatchCache`` per kind, made when the kind is first watched or changed.
struct WatchCaches: Sendable {
    private var caches: [ResourceID: WatchCache] = [:]
    /// Changes up to this version happened before the process started and are not known.
    private var floor: Int64 = 0
    private var historyLimit = WatchCache.historyLimit

    init() {}

    init(floor: Int64, historyLimit: Int) {
        self.floor = floor
        self.historyLimit = historyLimit
    }

    private mutating func withCache<Result>(
        _ resource: ResourceID, _ body: (inout WatchCache) -> Result
    ) -> Result {
        body(&caches[resource, default: WatchCache(floor: floor, limit: historyLimit)])
    }

    mutating func publish(_ event: StoreEvent) { withCache(event.object.key.resource) { $0.publish(event) } }
    mutating func add(_ watcher: Watcher, to resource: ResourceID) { withCache(resource) { $0.add(watcher) } }
    mutating func remove(_ watcher: Watcher, from resource: ResourceID) {
        withCache(resource) { $0.remove(watcher) }
    }

    mutating func events(_ resource: ResourceID, after version: Int64) -> [StoreEvent]? {
        withCache(resource) { $0.events(after: version) }
    }

    func finishAll() {
        for cache in caches.values { cache.finishAll() }
    }

    var watcherCount: Int { caches.values.reduce(0) { $0 + $1.watcherCount } }
}
