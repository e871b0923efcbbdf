internal import GRDB
internal import KubernetesAPI
internal import Synchronization

/// Every object of the endpoint: in memory for reading, in SQLite for keeping.
///
/// Reads and watches never touch the database. Writes wait in one queue; the connection's thread takes all that wait,
/// checks each against the newest state, commits them in one transaction, and only then shows them to readers and
/// watchers and answers. A failed commit leaves memory as it was.
final class ResourceStore: Sendable {
    /// What a write demands of the object it replaces.
    enum Expectation: Sendable {
        case absent
        case version(Int64)
    }

    enum Change: Sendable {
        /// Stores this value; the store stamps the resource version.
        case put(JSONValue)
        case delete
    }

    /// Why a single write of a batch was refused.
    enum Refusal: Error, Sendable {
        /// The object exists, or has another version than expected.
        case exists, changed
        /// The object is not there.
        case missing
        case failed(StoreError)
    }

    /// A list: objects in key order and the version of the world they were taken at.
    struct Snapshot: Sendable {
        let objects: [StoredObject]
        let resourceVersion: Int64
    }

    private struct PendingWrite: Sendable {
        let key: ObjectKey
        let expectation: Expectation
        let change: Change
        let answer: CheckedContinuation<Result<StoredObject, Refusal>, Never>
    }

    private struct State: ~Copyable {
        var tables: [ResourceID: [ObjectKey: StoredObject]] = [:]
        /// How many objects each namespace holds.
        var namespaceCounts: [String: Int] = [:]
        var caches = WatchCaches()
        var resourceVersion: Int64 = 1
        var pending: [PendingWrite] = []
        var isDraining = false
        var isClosed = false
        var lastWatcherID = 0
        var snapshots = ContinuationSnapshots()
        var recent = RecentValues()
        var committedBatches = 0
        var publishedEvents = 0
    }

    /// Writes taken into one transaction at most, so that one answer never waits for an endless batch.
    static let batchLimit = 256

    private let database: ObjectDatabase
    private let state: Mutex<State>

    /// Opens the file and reads it whole.
    init(
        path: String, seal: ObjectSeal, historyLimit: Int = WatchCache.historyLimit
    ) throws(StoreError) {
        let database = try ObjectDatabase(path: path, seal: seal)
        let contents = try database.load()
        if !contents.unsealed.isEmpty {
            try database.sealAnew(contents.unsealed, resourceVersion: contents.resourceVersion)
        }
        var initial = State()
        initial.resourceVersion = contents.resourceVersion
        initial.caches = WatchCaches(floor: contents.resourceVersion, historyLimit: historyLimit)
        for object in contents.objects {
            initial.tables[object.key.resource, default: [:]][object.key] = object
            initial.namespaceCounts[object.key.namespace, default: 0] += 1
        }
        self.database = database
        self.state = Mutex(initial)
    }

    // MARK: Reading

    /// The version of the last change.
    var resourceVersion: Int64 { state.withLock { $0.resourceVersion } }

    /// Transactions committed since the start; group commit makes it smaller than the number of writes.
    var committedBatches: Int { state.withLock { $0.committedBatches } }

    func get(_ key: ObjectKey) -> StoredObject? {
        state.withLock { $0.tables[key.resource]?[key] }
    }

    /// Every object of a kind, or of one namespace, in key order.
    func list(_ resource: ResourceID, namespace: String? = nil) -> Snapshot {
        let (values, version) = state.withLock { state in
            (state.tables[resource].map { Array($0.values) } ?? [], state.resourceVersion)
        }
        let chosen = namespace.map { wanted in values.filter { $0.key.namespace == wanted } } ?? values
        return Snapshot(objects: chosen.sorted { $0.key < $1.key }, resourceVersion: version)
    }

    /// Every object of every kind in a namespace.
    func objects(inNamespace namespace: String) -> [StoredObject] {
        state.withLock { state in
            state.tables.values.flatMap { $0.values.filter { $0.key.namespace == namespace } }
        }
    }

    /// Every object of some kinds in a namespace, at one moment.
    func objects(of kinds: Set<ResourceID>, inNamespace namespace: String) -> [StoredObject] {
        state.withLock { state in
            kinds.flatMap { kind in (state.tables[kind] ?? [:]).values.filter { $0.key.namespace == namespace } }
        }
    }

    /// Whether a namespace holds an object of a kind.
    func contains(_ kind: ResourceID, inNamespace namespace: String) -> Bool {
        state.withLock { $0.tables[kind]?.values.contains { $0.key.namespace == namespace } ?? false }
    }

    /// Whether a namespace holds no object of any kind.
    func isEmpty(namespace: String) -> Bool { state.withLock { $0.namespaceCounts[namespace] == nil } }

    /// Keeps the rest of a list that is handed out in pages, so that all pages show one version of the world.
    func keep(_ rest: Snapshot) {
        state.withLock { $0.snapshots.keep(rest.objects, version: rest.resourceVersion) }
    }

    /// The objects of an earlier list of `resource` at exactly `version`; nil when it is no longer kept.
    func kept(_ resource: ResourceID, version: Int64) -> Snapshot? {
        state.withLock { state in
            state.snapshots.find(resource, version: version).map { Snapshot(objects: $0, resourceVersion: version) }
        }
    }

    /// How many objects there are of each kind.
    var objectCounts: [ResourceID: Int] { state.withLock { $0.tables.mapValues(\.count) } }

    /// Changes shown to watches since the start.
    var publishedEvents: Int { state.withLock { $0.publishedEvents } }

    /// How large the database is.
    func fileBytes() async -> Int64 {
        await withCheckedContinuation { answer in
            database.perform { [database] connection in answer.resume(returning: database.bytes(in: connection)) }
        }
    }

    /// Copies everything that is stored into a file, as it is between two transactions; writes wait meanwhile.
    func copy(to path: String) async throws(StoreError) {
        let result: Result<Void, StoreError> = await withCheckedContinuation { answer in
            database.perform { [database] connection in
                answer.resume(
                    returning: Result { () throws(StoreError) in try database.copy(to: path, in: connection) })
            }
        }
        try result.get()
    }

    // MARK: Watching

    /// What a new watch starts with, and where the changes after it arrive.
    struct Subscription: Sendable {
        enum Start: Sendable {
            case objects([StoredObject])
            case events([StoreEvent])
        }
        let start: Start
        /// Everything up to this version is in `start`.
        let resourceVersion: Int64
        let watcher: Watcher
    }

    /// Opens a watch with no gap and no overlap between what it starts with and what follows.
    /// - Parameter since: the version the client has seen; nil to start with all objects that exist.
    /// - Returns: nil when changes after `since` are no longer known.
    func watch(_ resource: ResourceID, namespace: String?, name: String?, since: Int64?) -> Subscription? {
        state.withLock { state in
            state.lastWatcherID += 1
            let watcher = Watcher(id: state.lastWatcherID, namespace: namespace, name: name)
            if state.isClosed { watcher.finish() }
            let start: Subscription.Start
            if let since {
                guard let events = state.caches.events(resource, after: since) else { return nil }
                start = .events(events.filter { watcher.covers($0.object.key) })
            } else {
                let objects = state.tables[resource].map { Array($0.values) } ?? []
                start = .objects(objects.filter { watcher.covers($0.key) }.sorted { $0.key < $1.key })
            }
            state.caches.add(watcher, to: resource)
            return Subscription(start: start, resourceVersion: state.resourceVersion, watcher: watcher)
        }
    }

    func endWatch(_ watcher: Watcher, of resource: ResourceID) {
        watcher.finish()
        state.withLock { $0.caches.remove(watcher, from: resource) }
    }

    /// Queues a bookmark behind every change the watcher has been sent.
    func sendBookmark(to watcher: Watcher) {
        state.withLock { watcher.send(.bookmark(resourceVersion: $0.resourceVersion)) }
    }

    /// Ends every watch; new ones end at once. Part of an orderly stop.
    func finishWatches() {
        state.withLock { state in
            state.isClosed = true
            state.caches.finishAll()
        }
    }

    /// Whether an orderly stop has begun: what takes long is left for the next start.
    var isStopping: Bool { state.withLock { $0.isClosed } }

    var watcherCount: Int { state.withLock { $0.caches.watcherCount } }

    // MARK: Writing

    /// Writes one change and returns the stored object, durable. For a deletion that is the last state of the object,
    /// stamped with the version of the deletion.
    func write(_ key: ObjectKey, expecting expectation: Expectation, _ change: Change) async throws(Refusal)
        -> StoredObject
    {
        let result = await withCheckedContinuation { answer in
            let write = PendingWrite(key: key, expectation: expectation, change: change, answer: answer)
            let startDrain = state.withLock { state in
                state.pending.append(write)
                defer { state.isDraining = true }
                return !state.isDraining
            }
            if startDrain { database.perform { [self] in drain($0) } }
        }
        return try result.get()
    }

    /// Runs on the connection's thread until no write waits.
    private func drain(_ connection: Database) {
        while true {
            let batch = state.withLock { state in
                let taken = Array(state.pending.prefix(Self.batchLimit))
                state.pending.removeFirst(taken.count)
                if taken.isEmpty { state.isDraining = false }
                return taken
            }
            if batch.isEmpty { return }
            commit(batch, connection)
        }
    }

    private func commit(_ batch: [PendingWrite], _ connection: Database) {
        // Only this thread changes the tables, so what is read here stays true until the publication below.
        var staged = StagedBatch(
            resourceVersion: resourceVersion, shortage: database.isShortOfSpace ? .full(path: database.path) : nil)
        let outcomes = batch.map { write in
            staged.apply(write.change, to: write.key, expecting: write.expectation) { get($0) }
        }
        var failure: StoreError?
        if !staged.rows.isEmpty {
            do {
                try database.commit(staged.rows, resourceVersion: staged.resourceVersion, in: connection)
            } catch {
                failure = error
            }
        }
        if failure == nil, !staged.rows.isEmpty { publish(staged) }
        for (write, outcome) in zip(batch, outcomes) {
            if let failure, case .success = outcome {
                write.answer.resume(returning: .failure(.failed(failure)))
            } else {
                write.answer.resume(returning: outcome)
            }
        }
    }

    private func publish(_ staged: StagedBatch) {
        state.withLock { state in
            state.committedBatches += 1
            state.resourceVersion = staged.resourceVersion
            for event in staged.events {
                let key = event.object.key
                let previous = state.tables[key.resource]?[key]
                let next = event.kind == .deleted ? nil : event.object
                state.tables[key.resource, default: [:]][key] = next
                let change = (next == nil ? 0 : 1) - (previous == nil ? 0 : 1)
                let count = state.namespaceCounts[key.namespace, default: 0] + change
                state.namespaceCounts[key.namespace] = count == 0 ? nil : count
                state.publishedEvents += 1
                state.caches.publish(event)
                state.recent.add(event.object)
            }
        }
    }

    /// Closes the file; later writes fail. Reads go on from memory.
    func close() throws(StoreError) {
        finishWatches()
        try database.close()
    }
}
