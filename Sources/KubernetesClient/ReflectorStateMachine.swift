import KubernetesAPI

/// Decides what an informer does next and what it tells: list, watch, list again when told to, wait when it fails.
///
/// Pure: it knows neither the server nor the time. Deletions come from `DELETED` events and from complete lists only;
/// an unreachable server, a broken watch or an unreadable object never makes anything disappear.
struct ReflectorStateMachine<T: KubernetesResource> {
    /// What the owner does next.
    enum Step: Hashable {
        case list(resourceVersion: String)
        case watch(resourceVersion: String)
        /// Wait, then call `waited()`.
        case wait(Duration)
    }

    private enum Phase {
        case idle
        case listing
        case watching
        case waitingToList(resourceVersion: String)
        case waitingToWatch
    }

    private var phase = Phase.idle
    /// The newest readable state of every object, without its managed fields.
    private(set) var objects: [ObjectKey: T] = [:]
    /// A complete list has been taken over.
    private(set) var hasSynced = false
    /// Where the next watch continues.
    private(set) var resourceVersion = ""
    /// The state of the last complete list: an unknown object at or before it has been deleted by then.
    private var listVersion = ""
    private var tombstones = Tombstones()
    private var backoff: Backoff
    /// A list was asked for because the watch had expired, and no watch has worked since.
    private var hasListedAnew = false
    private let brake: DeletionBrake?
    /// What the last list lacked and is kept nevertheless.
    private(set) var held: Set<ObjectKey> = []
    /// How long watches have confirmed since that list that nothing else is to be heard.
    private var heldFor = Duration.zero
    /// The newest state that was ever told. A list of an older one comes from a server that has lost its memory.
    private var newestVersion = ""

    init(policy: RetryPolicy = .watch, brake: DeletionBrake? = nil) {
        backoff = Backoff(policy: policy)
        self.brake = brake
    }

    /// While objects are held: how long the next watch may take before a list has to tell what is true; nil when none are.
    var watchLimit: Duration? {
        guard let brake, !held.isEmpty else { return nil }
        return max(.seconds(1), brake.hold - heldFor)
    }

    /// The first list may come from the server's cache, which spares the store a thundering herd after an outage.
    mutating func start() -> Step {
        phase = .listing
        return .list(resourceVersion: "0")
    }

    /// A complete list has arrived.
    mutating func listed(_ list: ResourceList<T>, random: Double) -> (events: [InformerEvent<T>], step: Step) {
        guard case .listing = phase else { return ([], recover(random: random)) }
        var events: [InformerEvent<T>] = []
        var present = Set<ObjectKey>()
        var complete = true
        for object in list.items {
            let key = ObjectKey(object.metadata)
            present.insert(key)
            events += replace(objects[key], with: object, at: key)
        }
        for unreadable in list.undecodable {
            if let key = unreadable.key {
                present.insert(key)
            } else {
                // Without a name it could be any of the objects we hold, so nothing may be taken for deleted.
                complete = false
            }
            events.append(.undecodable(unreadable))
        }
        if complete {
            let missing = objects.keys.filter { !present.contains($0) }
            if mustHold(missing, from: list.resourceVersion) {
                held = Set(missing)
            } else {
                for key in missing { if let last = objects.removeValue(forKey: key) { events.append(.deleted(last)) } }
                held = []
            }
            if held.isEmpty { heldFor = .zero }
        }
        tombstones = Tombstones()
        listVersion = list.resourceVersion
        resourceVersion = list.resourceVersion
        remember(list.resourceVersion)
        if !hasSynced {
            hasSynced = true
            events.append(.initialListDone)
        }
        guard !resourceVersion.isEmpty else {
            // Nothing to continue from: the changes between this list and a watch would be lost.
            return (events, waitToList(after: nil, resourceVersion: "", random: random))
        }
        phase = .watching
        return (events, .watch(resourceVersion: resourceVersion))
    }

    /// The list failed; nothing is known to be gone.
    mutating func listFailed(_ error: APIError, random: Double) -> Step {
        waitToList(after: error, resourceVersion: "", random: random)
    }

    /// One event of the watch.
    mutating func received(_ event: ResourceWatchEvent<T>) -> [InformerEvent<T>] {
        guard case .watching = phase else { return [] }
        switch event {
        case .added(let object), .modified(let object): return changed(object)
        case .deleted(let object): return deleted(object)
        case .bookmark(let version):
            advance(to: version)
            return []
        case .undecodable(let object, let change):
            advance(to: object.resourceVersion)
            if change == .deleted, let key = object.key, let last = objects[key],
                object.uid == nil || object.uid == last.metadata.uid
            {
                objects[key] = nil
                held.remove(key)
                tombstones.insert(key, version: object.resourceVersion ?? "")
                return [.deleted(last)]
            }
            return change == .deleted ? [] : [.undecodable(object)]
        }
    }

    /// The watch is over.
    ///
    /// - Parameters:
    ///   - error: nil when the server ended it in good order.
    ///   - lasted: how long it ran.
    ///   - receivedEvents: whether it brought anything, bookmarks included.
    mutating func watchEnded(_ error: APIError?, lasted: Duration, receivedEvents: Bool, random: Double) -> Step {
        guard case .watching = phase else { return recover(random: random) }
        let worked = receivedEvents || lasted >= Self.shortestHealthyWatch
        if worked {
            backoff.reset()
            hasListedAnew = false
        }
        if let brake, !held.isEmpty {
            heldFor += lasted
            if error == nil, heldFor >= brake.hold {
                phase = .listing
                return .list(resourceVersion: "")
            }
        }
        if let error, error.isExpired {
            // The cache of the server is what is too old, so the list has to be read from the store itself.
            guard !hasListedAnew else { return waitToList(after: error, resourceVersion: "", random: random) }
            // However long it took to reach the server: it answers now, and only what does not help is waited with.
            hasListedAnew = true
            phase = .listing
            return .list(resourceVersion: "")
        }
        if error == nil, worked {
            return .watch(resourceVersion: resourceVersion)
        }
        if let status = error?.httpStatus, status != 429, status != 503 {
            // The server understands us and refuses this very watch, for instance because its store was restored
            // from a backup and has never heard of our version. Only a new list gets out of that.
            return waitToList(after: error, resourceVersion: "", random: random)
        }
        phase = .waitingToWatch
        return .wait(backoff.failed(retryAfterSeconds: error?.retryAfterSeconds, random: random))
    }

    /// The wait asked for is over.
    mutating func waited() -> Step {
        switch phase {
        case .waitingToList(let version):
            phase = .listing
            return .list(resourceVersion: version)
        case .waitingToWatch:
            phase = .watching
            return .watch(resourceVersion: resourceVersion)
        case .idle, .listing, .watching:
            phase = .listing
            return .list(resourceVersion: "")
        }
    }

    /// A watch that ends sooner than this without an event is a server refusing in disguise.
    static var shortestHealthyWatch: Duration { .seconds(1) }
}

extension ReflectorStateMachine {
    private mutating func waitToList(after error: APIError?, resourceVersion: String, random: Double) -> Step {
        phase = .waitingToList(resourceVersion: resourceVersion)
        return .wait(backoff.failed(retryAfterSeconds: error?.retryAfterSeconds, random: random))
    }

    /// An answer that was not asked for: start over rather than trust it.
    private mutating func recover(random: Double) -> Step {
        waitToList(after: nil, resourceVersion: "", random: random)
    }

    /// Takes over `object` unless it is what we hold; another uid means the old object was deleted in between.
    private mutating func replace(_ old: T?, with object: T, at key: ObjectKey) -> [InformerEvent<T>] {
        if let old, old.metadata.uid == object.metadata.uid,
            old.metadata.resourceVersion == object.metadata.resourceVersion, object.metadata.resourceVersion != nil
        {
            return []
        }
        let object = Self.kept(object)
        objects[key] = object
        guard let old else { return [.applied(old: nil, new: object)] }
        if old == object { return [] }
        if old.metadata.uid != object.metadata.uid { return [.deleted(old), .applied(old: nil, new: object)] }
        return [.applied(old: old, new: object)]
    }

    /// Whether what a complete list lacks is kept for now.
    private mutating func mustHold(_ missing: [ObjectKey], from version: String) -> Bool {
        guard let brake, !missing.isEmpty else { return false }
        if Self.isNewer(newestVersion, than: version) == true {
            // Until the server is as far as it was once, only an event or an end of this process makes them go.
            heldFor = .zero
            return true
        }
        return brake.holds(missing: missing.count, of: objects.count) && heldFor < brake.hold
    }

    private mutating func remember(_ version: String) {
        if !version.isEmpty, Self.isNewer(version, than: newestVersion) != false { newestVersion = version }
    }

    private mutating func changed(_ object: T) -> [InformerEvent<T>] {
        let key = ObjectKey(object.metadata)
        let version = object.metadata.resourceVersion ?? ""
        advance(to: version)
        if let old = objects[key], held.remove(key) != nil {
            // The versions of a server that has lost its memory say nothing beside those from before.
            return replace(old, with: object, at: key)
        }
        if let old = objects[key] {
            if Self.isNewer(version, than: old.metadata.resourceVersion ?? "") == false { return [] }
            return replace(old, with: object, at: key)
        }
        if Self.isNewer(version, than: tombstones.version(of: key) ?? listVersion) == false { return [] }
        return replace(nil, with: object, at: key)
    }

    private mutating func deleted(_ object: T) -> [InformerEvent<T>] {
        let key = ObjectKey(object.metadata)
        let version = object.metadata.resourceVersion ?? ""
        advance(to: version)
        guard let old = objects[key] else { return [] }
        // A late deletion of an earlier object of the same name must not remove its successor.
        if let uid = object.metadata.uid, let last = old.metadata.uid, uid != last { return [] }
        if held.remove(key) == nil, version != old.metadata.resourceVersion,
            Self.isNewer(version, than: old.metadata.resourceVersion ?? "") == false
        {
            return []
        }
        objects[key] = nil
        tombstones.insert(key, version: version)
        return [.deleted(Self.kept(object))]
    }

    /// Nobody who follows a collection looks at who manages which field, and it is most of a small object.
    private static func kept(_ object: T) -> T {
        var object = object
        object.metadata.managedFields = nil
        return object
    }

    private mutating func advance(to version: String?) {
        guard let version, !version.isEmpty else { return }
        if Self.isNewer(version, than: resourceVersion) != false { resourceVersion = version }
        remember(version)
    }

    /// Whether `version` is newer than `other`; nil when they cannot be compared, which counts as newer.
    static func isNewer(_ version: String, than other: String) -> Bool? {
        guard let left = UInt64(version), let right = UInt64(other) else {
            return version == other && !version.isEmpty ? false : nil
        }
        return left > right
    }
}

/// The versions at which recently deleted objects went, so that a late event does not bring one back.
private struct Tombstones {
    private var versions: [ObjectKey: String] = [:]
    private var order: [ObjectKey] = []

    /// Late events are seconds late; this many deletions of one kind in that time do not happen on a node.
    private static let limit = 4_096

    func version(of key: ObjectKey) -> String? { versions[key] }

    mutating func insert(_ key: ObjectKey, version: String) {
        if versions.updateValue(version, forKey: key) == nil { order.append(key) }
        guard order.count > Self.limit else { return }
        for old in order.prefix(Self.limit / 2) { versions[old] = nil }
        order.removeFirst(Self.limit / 2)
    }
}
