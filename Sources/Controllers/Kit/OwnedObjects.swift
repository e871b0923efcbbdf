import KubernetesAPI
import KubernetesClient
import Synchronization

/// The objects of one kind by what controls them, kept up to date from an informer's events: a controller finds its own
/// without looking at all.
final class OwnedObjects<T: KubernetesResource>: Sendable {
    /// Which controller an object belongs to, by name. Whoever asks compares the uid as well.
    struct Owner: Hashable, Sendable {
        var kind: String
        var namespace: String
        var name: String
    }

    private struct State {
        var byOwner: [Owner: [ObjectKey: T]] = [:]
        /// Objects nobody controls, by namespace.
        var orphans: [String: [ObjectKey: T]] = [:]
        var owners: [ObjectKey: Owner?] = [:]
    }

    private let state = Mutex(State())

    /// The controlling owner an object names, if it names one.
    static func owner(of object: T) -> Owner? {
        object.metadata.controllerReference.map {
            Owner(kind: $0.kind, namespace: object.metadata.namespace ?? "", name: $0.name)
        }
    }

    /// Takes over one event; returns the owners whose objects changed, and whether an orphan did.
    func take(_ event: InformerEvent<T>) -> (owners: Set<Owner>, orphan: T?) {
        switch event {
        case .initialListDone, .undecodable: return ([], nil)
        case .applied(_, let new):
            let key = ObjectKey(new.metadata)
            let owner = Self.owner(of: new)
            return state.withLock { state in
                var changed = Self.remove(key, &state)
                state.owners[key] = .some(owner)
                if let owner {
                    state.byOwner[owner, default: [:]][key] = new
                    changed.insert(owner)
                } else {
                    state.orphans[key.namespace, default: [:]][key] = new
                }
                return (changed, owner == nil ? new : nil)
            }
        case .deleted(let old):
            return state.withLock { (Self.remove(ObjectKey(old.metadata), &$0), nil) }
        }
    }

    private static func remove(_ key: ObjectKey, _ state: inout State) -> Set<Owner> {
        guard let known = state.owners.removeValue(forKey: key) else { return [] }
        guard let owner = known else {
            state.orphans[key.namespace]?[key] = nil
            if state.orphans[key.namespace]?.isEmpty == true { state.orphans[key.namespace] = nil }
            return []
        }
        state.byOwner[owner]?[key] = nil
        if state.byOwner[owner]?.isEmpty == true { state.byOwner[owner] = nil }
        return [owner]
    }

    /// The objects that name this owner, of whichever uid, in the order of their names.
    func objects(of owner: Owner) -> [T] {
        state.withLock { $0.byOwner[owner] ?? [:] }.sorted { $0.key.name < $1.key.name }.map(\.value)
    }

    /// The objects of a namespace that nobody controls.
    func orphans(in namespace: String) -> [T] {
        state.withLock { $0.orphans[namespace] ?? [:] }.sorted { $0.key.name < $1.key.name }.map(\.value)
    }
}

extension ObjectMeta {
    /// The one owner that manages the object.
    var controllerReference: OwnerReference? { ownerReferences?.first { $0.controller == true } }

    func isControlled(by uid: String?) -> Bool { uid != nil && controllerReference?.uid == uid }
}

extension KubernetesResource {
    /// A reference that makes this object the controller of another.
    var controllingReference: OwnerReference {
        OwnerReference(
            apiVersion: Self.definition.apiVersion, kind: Self.definition.kind, name: metadata.name ?? "",
            uid: metadata.uid ?? "", controller: true, blockOwnerDeletion: true)
    }
}
