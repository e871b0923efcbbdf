internal import KubernetesAPI

/// All roles and bindings, by who they are given to. Pure and immutable: made anew when one of them changes.
struct AccessRules: Sendable {
    private struct Grant: Sendable {
        /// Nil: everywhere.
        var namespace: String?
        var rules: [PolicyRule]
        var reason: String
    }

    private var byUser: [String: [Grant]] = [:]
    private var byGroup: [String: [Grant]] = [:]
    private var roles: [String: [PolicyRule]] = [:]

    init() {}

    init(
        roles: [Role], clusterRoles: [ClusterRole], bindings: [RoleBinding], clusterBindings: [ClusterRoleBinding]
    ) {
        for role in roles {
            self.roles[Self.key("Role", role.metadata.namespace ?? "", role.metadata.name ?? "")] = role.rules
        }
        for role in clusterRoles {
            self.roles[Self.key("ClusterRole", "", role.metadata.name ?? "")] = Self.rules(
                of: role, among: clusterRoles)
        }
        for binding in clusterBindings {
            add(
                binding.subjects, binding.roleRef, namespace: nil,
                "ClusterRoleBinding \"\(binding.metadata.name ?? "")\"")
        }
        for binding in bindings {
            let namespace = binding.metadata.namespace ?? ""
            add(
                binding.subjects, binding.roleRef, namespace: namespace,
                "RoleBinding \"\(binding.metadata.name ?? "")/\(namespace)\"")
        }
    }

    private static func key(_ kind: String, _ namespace: String, _ name: String) -> String {
        "\(kind)/\(kind == "Role" ? namespace : "")/\(name)"
    }

    /// A role that is made of others has their rules; those of such a role itself do not count.
    private static func rules(of role: ClusterRole, among all: [ClusterRole]) -> [PolicyRule] {
        guard role.aggregationRule != nil else { return role.rules }
        var seen: Set<PolicyRule> = []
        var names: Set<String> = []
        var waiting = [role]
        var rules: [PolicyRule] = []
        while let next = waiting.popLast() {
            guard names.insert(next.metadata.name ?? "").inserted else { continue }
            guard let aggregation = next.aggregationRule else {
                rules += next.rules.filter { seen.insert($0).inserted }
                continue
            }
            let selectors = (aggregation.clusterRoleSelectors ?? []).compactMap { try? $0.selector() }
            waiting += all.filter { other in selectors.contains { $0.matches(other.metadata.labels ?? [:]) } }
        }
        return rules
    }

    private mutating func add(
        _ subjects: [Subject]?, _ reference: RoleReference, namespace: String?, _ binding: String
    ) {
        // A role that does not exist allows nothing, and nothing else is affected.
        guard let rules = roles[Self.key(reference.kind, namespace ?? "", reference.name)] else { return }
        for subject in subjects ?? [] {
            let grant = Grant(
                namespace: namespace, rules: rules,
                reason: "RBAC: allowed by \(binding) of \(reference.kind) \"\(reference.name)\" to \(subject.kind) "
                    + "\"\(subject.name)\"")
            switch subject.kind {
            case "User": byUser[subject.name, default: []].append(grant)
            case "Group": byGroup[subject.name, default: []].append(grant)
            case "ServiceAccount":
                let name = "\(Identity.serviceAccountPrefix)\(subject.namespace ?? ""):\(subject.name)"
                byUser[name, default: []].append(grant)
            default: continue
            }
        }
    }

    private func grants(_ identity: Identity, namespace: String) -> [Grant] {
        let all = (byUser[identity.name] ?? []) + identity.allGroups.flatMap { byGroup[$0] ?? [] }
        return all.filter { $0.namespace == nil || $0.namespace == namespace }
    }

    /// Why the request is allowed; nil when no rule allows it.
    func reason(_ identity: Identity, _ request: AccessRequest) -> String? {
        grants(identity, namespace: request.namespace).first { grant in
            grant.rules.contains { $0.allows(request) }
        }?.reason
    }

    /// Every rule that holds for the identity in a namespace.
    func rules(for identity: Identity, namespace: String) -> [PolicyRule] {
        grants(identity, namespace: namespace).flatMap(\.rules)
    }

    /// The rules of a role; nil when there is no such role.
    func rules(of reference: RoleReference, namespace: String) -> [PolicyRule]? {
        roles[Self.key(reference.kind, namespace, reference.name)]
    }

    /// The parts of `wanted` that the identity may not do itself.
    func missing(_ wanted: [PolicyRule], for identity: Identity, namespace: String) -> [PolicyRule] {
        let own = rules(for: identity, namespace: namespace)
        return wanted.flatMap(\.parts).filter { part in !own.contains { $0.covers(part) } }
    }
}
