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
        /// The one object it is about.
        var name: String? = nil
        /// Only what a pod of the node refers to, one by its name.
        var onlyReferred = false
        /// Only pods of the node: one of them, or those that the field selector `spec.nodeName` asks for.
        var onlyBound = false
    }

    private static let read: Set<String> = ["get", "list", "watch"]
    private static let certificates = "certificates.k8s.io"
    private static let leases = "coordination.k8s.io"
    private static let storage = "storage.k8s.io"

    private static let rules: [Rule] = [
        Rule(resource: "nodes", verbs: read),
        Rule(resource: "nodes", verbs: ["create", "update", "patch"], onlyOwn: true),
        Rule(resource: "nodes", subresource: "status", verbs: ["update", "patch"], onlyOwn: true),
        Rule(resource: "pods", verbs: read, onlyBound: true), Rule(resource: "pods", verbs: ["create", "delete"]),
        Rule(resource: "pods", subresource: "status", verbs: ["update", "patch"]),
        Rule(resource: "events", verbs: ["create", "update", "patch"]),
        Rule(resource: "services", verbs: read),
        Rule(resource: "configmaps", verbs: read, onlyReferred: true),
        // Whose certificates its own API is to believe.
        Rule(
            resource: "configmaps", verbs: read, namespace: "kube-system", name: "extension-apiserver-authentication"),
        Rule(resource: "secrets", verbs: read, onlyReferred: true),
        Rule(resource: "serviceaccounts", verbs: ["get"], onlyReferred: true),
        Rule(resource: "serviceaccounts", subresource: "token", verbs: ["create"], onlyReferred: true),
        Rule(resource: "persistentvolumes", verbs: ["get"], onlyReferred: true),
        Rule(resource: "persistentvolumeclaims", verbs: ["get"], onlyReferred: true),
        Rule(
            resource: "persistentvolumeclaims", subresource: "status", verbs: ["update", "patch"], onlyReferred: true),
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

    /// - Parameter refersTo: whether a pod of the node refers to an object, or is it, by resource, namespace and name.
    static func allows(
        _ identity: Identity, _ request: AccessRequest,
        refersTo: (_ node: String, _ resource: String, _ namespace: String, _ name: String) -> Bool
    ) -> Bool {
        guard let node = identity.nodeName,
            case .resource(let group, let resource, let subresource, let namespace, let name) = request.target
        else { return false }
        return rules.contains { rule in
            guard rule.group == group, rule.resource == resource, rule.subresource == subresource,
                rule.verbs.contains(request.verb), rule.namespace == nil || rule.namespace == namespace,
                rule.name == nil || rule.name == name
            else { return false }
            // A creation has no name in its URL; the object's own is checked by ``checkCreation(_:_:body:)``.
            guard !rule.onlyOwn || request.verb == "create" || name == node else { return false }
            if rule.onlyBound, request.verb != "get" { return request.podNode == node }
            return !(rule.onlyReferred || rule.onlyBound) || refersTo(node, resource, namespace, name)
        }
    }

    /// Why a node may not do what nodes may do; nil when no node may.
    static func denial(_ identity: Identity, _ request: AccessRequest) -> String? {
        guard let node = identity.nodeName,
            case .resource(let group, let resource, let subresource, _, let name) = request.target,
            let rule = rules.first(where: {
                ($0.onlyReferred || $0.onlyBound) && $0.group == group && $0.resource == resource
                    && $0.subresource == subresource && $0.verbs.contains(request.verb)
            })
        else { return nil }
        if rule.onlyBound {
            return "node \"\(node)\" can only read its own pods: select them by the field selector spec.nodeName"
        }
        return name.isEmpty
            ? "node \"\(node)\" can only read \(resource) one by one: name it, for a watch by the field selector metadata.name"
            : "no pod on node \"\(node)\" refers to it"
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
            guard body[path: "metadata", "annotations", Pod.mirrorAnnotation]?.stringValue != nil else {
                throw .forbidden(
                    info.resourceID, name,
                    "pod does not have \"\(Pod.mirrorAnnotation)\" annotation, node \"\(node)\" "
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
