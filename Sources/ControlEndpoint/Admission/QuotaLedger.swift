internal import KubernetesAPI
internal import Synchronization

/// What the objects of a namespace take of its quotas, and what was let through and is not stored yet, so that two at
/// once do not both take the last place. It counts what is stored at each question; nothing of it outlives the process.
final class QuotaLedger: Sendable {
    /// An object that is to be stored, and what it replaces.
    struct Change: Sendable {
        let key: ObjectKey
        let old: StoredObject?
        let value: JSONValue
    }

    struct Reservation: Hashable, Sendable {
        fileprivate let id: Int
    }

    private struct Known: Sendable {
        let version: Int64
        let usage: [String: Quantity]
    }

    private struct State {
        var lastID = 0
        var waiting: [Int: Change] = [:]
        /// What pods take, by namespace: reading a pod is most of the work.
        var known: [String: [ObjectKey: Known]] = [:]
    }

    private static let pods = ResourceID(group: "", plural: "pods")

    private let state = Mutex(State())

    /// What stored objects take of a quota; every resource it bounds has an entry.
    func used(of quota: ResourceQuota, by objects: [StoredObject], now: Timestamp) -> [String: Quantity] {
        state.withLock { Self.used(of: quota, by: objects, now, &$0) }
    }

    private static func used(
        of quota: ResourceQuota, by objects: [StoredObject], _ now: Timestamp, _ state: inout State
    ) -> [String: Quantity] {
        var used = (quota.spec.hard ?? [:]).mapValues { _ in Quantity.zero }
        for object in objects where isInScope(object, quota.spec) {
            let usage = usage(of: object, now, &state)
            for (name, amount) in usage where used[name] != nil { used[name]? += amount }
        }
        return used
    }

    private static func usage(of object: StoredObject, _ now: Timestamp, _ state: inout State) -> [String: Quantity] {
        let key = object.key
        guard key.resource == pods, !isOver(object, now) else {
            return QuotaUsage.of(object.value, key.resource, now: now)
        }
        if let known = state.known[key.namespace]?[key], known.version == object.resourceVersion { return known.usage }
        let usage = QuotaUsage.of(object.value, key.resource, now: now)
        state.known[key.namespace, default: [:]][key] = Known(version: object.resourceVersion, usage: usage)
        return usage
    }

    /// A quota without scopes need not look into the object.
    private static func isInScope(_ object: StoredObject, _ quota: ResourceQuotaSpec) -> Bool {
        quota.demands.isEmpty || QuotaUsage.isInScope(object.value, object.key.resource, quota)
    }

    private static func isOver(_ pod: StoredObject, _ now: Timestamp) -> Bool {
        var known: JSONValue = ["status": ["phase": pod.part(["status", "phase"]) ?? ""]]
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
            if let value = pod.part(["metadata", field]) { known.set(value, at: "metadata", field) }
        }
        return QuotaUsage.isOver(known, now)
    }

    /// Lets a change through when every quota has room for it beside what is stored and what is on its way.
    /// - Parameter stored: everything the quotas count in the namespace, at one moment; asked for while nobody else is
    ///   let through.
    func reserve(
        _ change: Change, quotas: [ResourceQuota], now: Timestamp, stored: () -> [StoredObject]
    ) throws(APIStatusError) -> Reservation {
        let result: Result<Reservation, APIStatusError> = state.withLock { state in
            let objects = stored()
            let onTheWay = Self.unstored(state.waiting.values, beside: objects, in: change.key.namespace)
            for quota in quotas {
                var used = Self.used(of: quota, by: objects, now, &state)
                for other in onTheWay {
                    used.merge(QuotaUsage.increase(other, in: quota, now: now), uniquingKeysWith: +)
                }
                if let refusal = QuotaUsage.refusal(of: change, by: quota, used: used, now: now) {
                    return .failure(.forbidden(change.key.resource, change.key.name, refusal))
                }
            }
            state.lastID += 1
            state.waiting[state.lastID] = change
            return .success(Reservation(id: state.lastID))
        }
        return try result.get()
    }

    /// Those that replace what is still there: another version means that it was stored in the meantime, or cannot be.
    private static func unstored(
        _ waiting: some Sequence<Change>, beside objects: [StoredObject], in namespace: String
    ) -> [Change] {
        let own = waiting.filter { $0.key.namespace == namespace }
        if own.isEmpty { return [] }
        let keys = Set(own.map(\.key))
        let versions = Dictionary(
            objects.filter { keys.contains($0.key) }.map { ($0.key, $0.resourceVersion) }, uniquingKeysWith: max)
        return own.filter { versions[$0.key] == $0.old?.resourceVersion }
    }

    /// The object is stored, or will not be.
    func release(_ reservation: Reservation) {
        state.withLock { _ = $0.waiting.removeValue(forKey: reservation.id) }
    }

    /// Drops what is known of pods that are gone; of all of them when nothing counts them any more.
    func forget(_ namespace: String, except pods: Set<ObjectKey> = []) {
        state.withLock { state in
            guard let known = state.known[namespace], known.count > pods.count else { return }
            let left = known.filter { pods.contains($0.key) }
            state.known[namespace] = left.isEmpty ? nil : left
        }
    }
}
