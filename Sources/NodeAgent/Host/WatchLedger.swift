import KubernetesClient

/// Which objects are watched, and for which pods: one watch for each object, as long as any pod uses it. Pure.
struct WatchLedger {
    /// What a change of a pod's needs means for the watches.
    struct Change: Hashable {
        var started: Set<ObjectKey> = []
        var stopped: Set<ObjectKey> = []
    }

    private var users: [ObjectKey: Set<String>] = [:]
    private var used: [String: Set<ObjectKey>] = [:]

    /// UIDs of the pods that use an object.
    func pods(using key: ObjectKey) -> Set<String> { users[key] ?? [] }

    /// From now on the pod uses exactly these objects.
    mutating func set(_ keys: Set<ObjectKey>, for podUID: String) -> Change {
        let before = used[podUID] ?? []
        used[podUID] = keys.isEmpty ? nil : keys
        var change = Change()
        for key in keys.subtracting(before) where users[key, default: []].insert(podUID).inserted {
            if users[key]?.count == 1 { change.started.insert(key) }
        }
        for key in before.subtracting(keys) {
            users[key]?.remove(podUID)
            if users[key]?.isEmpty == true {
                users[key] = nil
                change.stopped.insert(key)
            }
        }
        return change
    }
}
