internal import KubernetesAPI

/// What a node agent does for its own node, and nothing else.
enum NodeRules {
    private struct Rule: Sendable {
        var group = ""
        var resource: String
        var subresource = ""
        var verbs: Set<String>
        /// Only its own node, or the object named after it.
        var onlyOwn = false
        var namespace: String? = nil
    }

    private static let read: Set<String> = ["get", "list", "watch"]
    private static let certificates = "certificates.k8s.io"
    private static let leases = "coordination.k8s.io"
    private static let storage = "storage.k8s.io"

    private static let rules: [Rule] = [
        Rule(resource: "nodes", verbs: read),
        Rule(resource: "nodes", verbs: ["create", "update", "patch"], onlyOwn: true),
        Rule(resource: "nodes", subresource: "status", verbs: ["update", "patch"], onlyOwn: true),
        Rule(resource: "pods", verbs: read.union(["create", "delete"])),
        Rule(resource: "pods", subresource: "status", verbs: ["update", "patch"]),
        Rule(resource: "events", verbs: ["create", "update", "patch"]),
        Rule(resource: "configmaps", verbs: read), Rule(resource: "secrets", verbs: read),
        Rule(resource: "services", verbs: read), Rule(resource: "serviceaccounts", verbs: read),
        Rule(resource: "persistentvolumes", verbs: read), Rule(resource: "persistentvolumeclaims", verbs: read),
        Rule(resource: "persistentvolumeclaims", subresource: "status", verbs: ["update", "patch"]),
        Rule(resource: "serviceaccounts", subresource: "token", verbs: ["create"]),
        Rule(resource: "namespaces", verbs: read),
        Rule(group: storage, resource: "csidrivers", verbs: read),
        Rule(group: storage, resource: "volumeattachments", verbs: ["get"]),
        Rule(
            group: storage, resource: "csinodes", verbs: ["create", "get", "update", "patch", "delete"], onlyOwn: true),
        Rule(group: leases, resource: "leases", verbs: ["create"], namespace: "kube-node-lease"),
        Rule(
            group: leases, resource: "leases", verbs: ["get", "update", "patch", "delete"], onlyOwn: true,
            namespace: "kube-node-lease"),
        Rule(group: "authentication.k8s.io", resource: "tokenreviews", verbs: ["create"]),
        Rule(group: certificates, resource: "certificatesigningrequests", verbs: read.union(["create"])),
        Rule(
            group: certificates, resource: "certificatesigningrequests", subresource: "selfnodeclient",
            verbs: ["create"]),
        Rule(
            group: certificates, resource: "certificatesigningrequests", subresource: "selfnodeserver",
            verbs: ["create"]),
        Rule(group: "authorization.k8s.io", resource: "subjectaccessreviews", verbs: ["create"]),
    ]

    static func allows(_ identity: Identity, _ request: AccessRequest) -> Bool {
        guard let node = identity.nodeName,
            case .resource(let group, let resource, let subresource, let namespace, let name) = request.target
        else { return false }
        return rules.contains { rule in
            guard rule.group == group, rule.resource == resource, rule.subresource == subresource,
                rule.verbs.contains(request.verb), rule.namespace == nil || rule.namespace == namespace
            else { return false }
            // A creation has no name in its URL; the object's own is checked by ``checkCreation(_:_:body:)``.
            return !rule.onlyOwn || request.verb == "create" || name == node
        }
    }

    /// What a node creates carries its name in the body only: it registers itself, never another, and shows only pods
    /// that it has been given by other means.
    static func checkCreation(
        _ identity: Identity, _ info: RequestInfo, body: JSONValue
    ) throws(APIStatusError) {
        guard !identity.groups.contains(Identity.mastersGroup), let node = identity.nodeName, info.subresource == nil
        else { return }
        let name = body.string("metadata", "name")
        switch (info.group, info.resource) {
        case ("", "nodes"), (leases, "leases"), (storage, "csinodes"):
            guard name != node else { return }
            throw .forbidden(info.resourceID, name, "node \"\(node)\" can only create its own objects of this kind")
        case ("", "pods"):
            guard body[path: "metadata", "annotations", "kubernetes.io/config.mirror"]?.stringValue != nil else {
                throw .forbidden(
                    info.resourceID, name,
                    "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"\(node)\" "
                        + "can only create mirror pods")
            }
            guard body.string("spec", "nodeName") == node else {
                throw .forbidden(
                    info.resourceID, name, "node \"\(node)\" can only create pods with spec.nodeName set to itself")
            }
        default: return
        }
    }

    /// A node writes only about the pods it runs.
    static func checkPod(
        _ identity: Identity, _ info: RequestInfo, _ store: ResourceStore
    ) throws(APIStatusError) {
        guard !identity.groups.contains(Identity.mastersGroup), let node = identity.nodeName,
            info.resourceID == ResourceID(group: "", plural: "pods"), let name = info.name,
            ![.get, .list, .watch].contains(info.verb)
        else { return }
        let key = ObjectKey(resource: info.resourceID, namespace: info.namespace ?? "", name: name)
        guard let pod = store.get(key), pod.part(["spec", "nodeName"])?.stringValue != node else { return }
        throw .forbidden(
            info.resourceID, name, "node \"\(node)\" can only write pods with spec.nodeName set to itself")
    }
}
