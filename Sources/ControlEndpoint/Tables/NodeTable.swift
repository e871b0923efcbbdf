internal import KubernetesAPI

extension TableLayout {
    static let nodes = TableLayout(
        columns: [
            nameColumn,
            Column(name: "Status", description: "Whether the node is ready, and whether it takes new pods."),
            Column(name: "Roles", description: "The roles its labels give it."),
            ageColumn,
            Column(name: "Version", description: "The version of its agent."),
            Column(name: "Internal-IP", priority: 1),
            Column(name: "External-IP", priority: 1),
            Column(name: "OS-Image", priority: 1),
            Column(name: "Kernel-Version", priority: 1),
            Column(name: "Container-Runtime", priority: 1),
        ]
    ) { node, now in
        let info: (String) -> JSONValue = { field in
            let text = node.string("status", "nodeInfo", field)
            return .string(text.isEmpty ? "<unknown>" : text)
        }
        return [
            name(node), .string(status(ofNode: node)), .string(roles(ofNode: node)), age(node, now),
            info("kubeletVersion"), address(of: node, type: "InternalIP"), address(of: node, type: "ExternalIP"),
            info("osImage"), info("kernelVersion"), info("containerRuntimeVersion"),
        ]
    }

    private static func status(ofNode node: JSONValue) -> String {
        let ready = node.list("status", "conditions").first { $0.string("type") == "Ready" }
        var parts = [ready.map { $0.string("status") == "True" ? "Ready" : "NotReady" } ?? "Unknown"]
        if node[path: "spec", "unschedulable"]?.boolValue == true { parts.append("SchedulingDisabled") }
        return parts.joined(separator: ",")
    }

    private static func roles(ofNode node: JSONValue) -> String {
        var roles: Set<String> = []
        let prefix = "node-role.kubernetes.io/"
        for (key, value) in node.stringMap(at: "metadata", "labels") {
            if key.hasPrefix(prefix), key.count > prefix.count { roles.insert(String(key.dropFirst(prefix.count))) }
            if key == "kubernetes.io/role", !value.isEmpty { roles.insert(value) }
        }
        return roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")
    }

    private static func address(of node: JSONValue, type: String) -> JSONValue {
        let found = node.list("status", "addresses").first { $0.string("type") == type }
        return .string(found?.string("address") ?? "<none>")
    }
}
