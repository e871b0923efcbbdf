internal import KubernetesAPI
internal import Synchronization

/// Decides by the roles and bindings in the store, read again only after one of them has changed.
final class AccessControl: Sendable {
    private struct State {
        var rules: AccessRules?
        var generation = 0
    }

    private let store: ResourceStore
    private let nodeReferences: NodeReferences
    private let state = Mutex(State())

    init(store: ResourceStore) {
        self.store = store
        nodeReferences = NodeReferences(store: store)
    }

    /// To be called after each write of a role or a binding, before it is answered.
    func changed(_ resource: ResourceID) {
        guard resource.group == RoleReference.group else { return }
        state.withLock { state in
            state.rules = nil
            state.generation += 1
        }
    }

    var rules: AccessRules {
        let (known, generation) = state.withLock { ($0.rules, $0.generation) }
        if let known { return known }
        let made = AccessRules(
            roles: objects("roles"), clusterRoles: objects("clusterroles"), bindings: objects("rolebindings"),
            clusterBindings: objects("clusterrolebindings"))
        // Not kept when a change came in while it was made.
        state.withLock { if $0.generation == generation { $0.rules = made } }
        return made
    }

    private func objects<T: Decodable>(_ plural: String) -> [T] {
        store.list(ResourceID(group: RoleReference.group, plural: plural)).objects.compactMap {
            try? JSONValueDecoder().decode(T.self, from: $0.value)
        }
    }

    /// Why the identity may do it; nil when it may not.
    func reason(_ identity: Identity, _ request: AccessRequest) -> String? {
        if identity.groups.contains(Identity.mastersGroup) { return "" }
        if NodeRules.allows(identity, request, refersTo: nodeReferences.contain) { return "allowed to a node" }
        return rules.reason(identity, request)
    }

    // MARK: Escalation

    /// Nobody gives away more than they have, unless they may do just that.
    func checkMayGrant(
        _ wanted: [PolicyRule], _ identity: Identity?, namespace: String, _ bypass: AccessRequest, _ name: String,
        _ resource: ResourceID
    ) throws(APIStatusError) {
        guard let identity, !identity.groups.contains(Identity.mastersGroup), rules.reason(identity, bypass) == nil
        else { return }
        let missing = rules.missing(wanted, for: identity, namespace: namespace)
        guard let first = missing.first else { return }
        let things = (first.nonResourceURLs ?? []) + (first.resources ?? [])
        throw .forbidden(
            resource, name,
            "user \"\(identity.name)\" (groups=\(identity.allGroups.sorted())) is attempting to grant RBAC permissions "
                + "not currently held: \(missing.count) in all, such as \"\(first.verbs.joined())\" on "
                + "\"\(things.joined())\" of API group \"\((first.apiGroups ?? []).joined())\"")
    }
}
