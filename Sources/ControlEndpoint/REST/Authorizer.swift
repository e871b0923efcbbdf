/// Decides what an identity may do. Whatever no rule names is refused.
struct Authorizer: Sendable {
    /// Everything a node agent does, and nothing else.
    private struct Rule: Sendable {
        var resource: ResourceID
        var subresource: String? = nil
        var verbs: Set<RequestInfo.Verb>
        /// Only its own node, or the lease named after it.
        var onlyOwn = false
        var namespace: String? = nil
    }

    private static let read: Set<RequestInfo.Verb> = [.get, .list, .watch]
    private static let lease = ResourceID(group: "coordination.k8s.io", plural: "leases")

    private static func core(_ plural: String) -> ResourceID { ResourceID(group: "", plural: plural) }

    private static let nodeRules: [Rule] = [
        Rule(resource: core("nodes"), verbs: read),
        Rule(resource: core("nodes"), verbs: [.create, .update, .patch], onlyOwn: true),
        Rule(resource: core("nodes"), subresource: "status", verbs: [.update, .patch], onlyOwn: true),
        Rule(resource: core("pods"), verbs: read.union([.create, .delete])),
        Rule(resource: core("pods"), subresource: "status", verbs: [.update, .patch]),
        Rule(resource: core("events"), verbs: [.create, .update, .patch]),
        Rule(resource: core("configmaps"), verbs: read),
        Rule(resource: core("secrets"), verbs: read),
        Rule(resource: core("services"), verbs: read),
        Rule(resource: core("serviceaccounts"), verbs: read),
        Rule(resource: core("serviceaccounts"), subresource: "token", verbs: [.create]),
        Rule(resource: core("namespaces"), verbs: read),
        Rule(resource: lease, verbs: [.create], namespace: "kube-node-lease"),
        Rule(
            resource: lease, verbs: [.get, .update, .patch, .delete], onlyOwn: true, namespace: "kube-node-lease"),
    ]

    /// - Parameter info: nil for paths that name no resource: discovery, OpenAPI, the version.
    func check(_ identity: Identity, _ info: RequestInfo?) throws(APIStatusError) {
        if identity.groups.contains(Identity.mastersGroup) { return }
        guard let info else { return }
        if let node = identity.nodeName, Self.nodeRules.contains(where: { Self.allows($0, info, node: node) }) {
            return
        }
        let target = info.subresource.map { "\(info.resource)/\($0)" } ?? info.resource
        let scope = info.namespace.map { "in the namespace \"\($0)\"" } ?? "at the cluster scope"
        throw .forbidden(
            info.resourceID, info.name ?? "",
            "User \"\(identity.name)\" cannot \(info.verb.rawValue) resource \"\(target)\" in API group "
                + "\"\(info.group)\" \(scope)")
    }

    private static func allows(_ rule: Rule, _ info: RequestInfo, node: String) -> Bool {
        guard rule.resource == info.resourceID, rule.subresource == info.subresource, rule.verbs.contains(info.verb)
        else { return false }
        if let namespace = rule.namespace, info.namespace != namespace { return false }
        // A creation has no name in its URL; the object's own name is checked by ``checkCreatedName(_:_:name:)``.
        if rule.onlyOwn, info.verb != .create, info.name != node { return false }
        return true
    }

    /// A node may register itself, never another: its creations carry the name in the body only.
    func checkCreatedName(_ identity: Identity, _ info: RequestInfo, name: String) throws(APIStatusError) {
        guard !identity.groups.contains(Identity.mastersGroup), let node = identity.nodeName else { return }
        let isOwnOnly = info.resourceID == Self.core("nodes") || info.resourceID == Self.lease
        if isOwnOnly, name != node {
            throw .forbidden(info.resourceID, name, "node \"\(node)\" can only create its own objects of this kind")
        }
    }
}
