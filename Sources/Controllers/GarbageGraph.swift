import KubernetesAPI
import KubernetesClient

/// Who owns whom, of every object of every kind; and what is to become of one of them. Pure.
struct GarbageGraph {
    struct Node: Equatable {
        var definition: ResourceDefinition
        var key: ObjectKey
        var uid: String
        var resourceVersion: String
        var owners: [OwnerReference]
        var finalizers: [String]
        var isLeaving: Bool
    }

    enum Action: Equatable {
        /// Delete it; the policy is passed on to what it owns itself.
        case delete(policy: String)
        /// Keep it without the references to these owners.
        case dropOwners(uids: Set<String>)
        /// What it owned is gone or let go: its finalizer may go.
        case removeFinalizer(String)
        /// Look at what it owns first.
        case visit(uids: Set<String>)
        /// Take the reference to it from each of these.
        case release(uids: Set<String>)
    }

    static let orphanFinalizer = "orphan"
    static let foregroundFinalizer = "foregroundDeletion"

    private(set) var nodes: [String: Node] = [:]
    private var dependents: [String: Set<String>] = [:]

    /// Takes over the newest state of an object; returns the uids to look at because of it.
    mutating func apply(_ node: Node) -> Set<String> {
        let before = nodes.updateValue(node, forKey: node.uid)
        for owner in before?.owners ?? [] { unlink(node.uid, from: owner.uid) }
        for owner in node.owners { dependents[owner.uid, default: []].insert(node.uid) }
        var toVisit: Set<String> = node.owners.isEmpty && !node.isLeaving ? [] : [node.uid]
        // An owner that waits for this one may be able to go on.
        for owner in (before?.owners ?? []) + node.owners where nodes[owner.uid]?.isLeaving == true {
            toVisit.insert(owner.uid)
        }
        return toVisit
    }

    mutating func remove(_ uid: String) -> Set<String> {
        guard let node = nodes.removeValue(forKey: uid) else { return [] }
        for owner in node.owners { unlink(uid, from: owner.uid) }
        let waiting = node.owners.map(\.uid).filter { nodes[$0]?.isLeaving == true }
        return (dependents[uid] ?? []).union(waiting)
    }

    private mutating func unlink(_ uid: String, from owner: String) {
        dependents[owner]?.remove(uid)
        if dependents[owner]?.isEmpty == true { dependents[owner] = nil }
    }

    func dependents(of uid: String) -> [Node] { (dependents[uid] ?? []).compactMap { nodes[$0] } }

    /// Owners of a node that are not known and have to be asked for before anything is decided.
    func unknownOwners(of uid: String) -> [OwnerReference] {
        guard let node = nodes[uid], !node.isLeaving else { return [] }
        return node.owners.filter { nodes[$0.uid] == nil }
    }

    /// What to do with one object.
    /// - Parameter absent: uids of owners that are known not to exist.
    func decide(_ uid: String, absent: Set<String>) -> Action? {
        guard let node = nodes[uid] else { return nil }
        if node.isLeaving { return decideLeaving(node) }
        guard !node.owners.isEmpty else { return nil }
        var (solid, waiting, dangling) = (0, Set<String>(), Set<String>())
        for owner in node.owners {
            if absent.contains(owner.uid) {
                dangling.insert(owner.uid)
            } else if let known = nodes[owner.uid] {
                // An owner elsewhere is no owner: names do not reach across namespaces.
                if known.definition.namespaced, known.key.namespace != node.key.namespace {
                    dangling.insert(owner.uid)
                } else if known.isLeaving, known.finalizers.contains(Self.foregroundFinalizer),
                    owner.blockOwnerDeletion == true
                {
                    waiting.insert(owner.uid)
                } else {
                    solid += 1
                }
            } else {
                // Not known to exist and not known to be gone: no reason to delete anything.
                solid += 1
            }
        }
        if solid > 0 {
            let gone = waiting.union(dangling)
            return gone.isEmpty ? nil : .dropOwners(uids: gone)
        }
        if node.finalizers.contains(Self.orphanFinalizer) { return .delete(policy: "Orphan") }
        let hasOwn = !(dependents[uid] ?? []).isEmpty
        if node.finalizers.contains(Self.foregroundFinalizer) || (!waiting.isEmpty && hasOwn) {
            return .delete(policy: "Foreground")
        }
        return .delete(policy: "Background")
    }

    private func decideLeaving(_ node: Node) -> Action? {
        let owned = dependents(of: node.uid)
        if node.finalizers.contains(Self.orphanFinalizer) {
            return owned.isEmpty
                ? .removeFinalizer(Self.orphanFinalizer) : .release(uids: Set(owned.map(\.uid)))
        }
        guard node.finalizers.contains(Self.foregroundFinalizer) else { return nil }
        let blocking = owned.filter { dependent in
            dependent.owners.contains { $0.uid == node.uid && $0.blockOwnerDeletion == true }
        }
        if blocking.isEmpty { return .removeFinalizer(Self.foregroundFinalizer) }
        let untouched = Set(blocking.filter { !$0.isLeaving }.map(\.uid))
        return untouched.isEmpty ? nil : .visit(uids: untouched)
    }
}
