internal import KubernetesAPI

/// Roles: nobody writes one that allows more than they may do themselves.
struct RoleStrategy: ResourceStrategy {
    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        try check(object, context)
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {
        if object["rules"] != old["rules"] || object["aggregationRule"] != old["aggregationRule"] {
            try check(object, context)
        }
    }

    private func check(_ object: JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        let namespace = object.string("metadata", "namespace")
        let name = object.string("metadata", "name")
        let plural = object.string("kind") == "Role" ? "roles" : "clusterroles"
        var rules = (try? JSONValueDecoder().decode([PolicyRule].self, from: object["rules"] ?? [])) ?? []
        if !JSONValue.isEmpty(object["aggregationRule"]) {
            // What it will be made of is not known yet: that takes somebody who may do everything.
            rules.append(PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]))
            rules.append(PolicyRule(verbs: ["*"], nonResourceURLs: ["*"]))
        }
        let bypass = AccessRequest(
            verb: "escalate",
            target: .resource(
                group: RoleReference.group, resource: plural, subresource: "", namespace: namespace, name: name))
        try context.access.checkMayGrant(
            rules, context.requester, namespace: namespace, bypass, name,
            ResourceID(group: RoleReference.group, plural: plural))
    }
}

/// Bindings: nobody binds a role that allows more than they may do themselves.
struct RoleBindingStrategy: ResourceStrategy {
    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        try check(object, context)
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {
        if object["subjects"] != old["subjects"] || object["roleRef"] != old["roleRef"] { try check(object, context) }
    }

    private func check(_ object: JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        let namespace = object.string("metadata", "namespace")
        let isLocal = object.string("kind") == "RoleBinding"
        let reference = RoleReference(
            apiGroup: RoleReference.group, kind: object.string("roleRef", "kind"),
            name: object.string("roleRef", "name"))
        let bypass = AccessRequest(
            verb: "bind",
            target: .resource(
                group: RoleReference.group, resource: reference.kind == "Role" ? "roles" : "clusterroles",
                subresource: "", namespace: namespace, name: reference.name))
        // A role that does not exist yet may come to allow anything.
        let rules =
            context.access.rules.rules(of: reference, namespace: namespace)
            ?? [PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"])]
        try context.access.checkMayGrant(
            rules, context.requester, namespace: namespace, bypass, object.string("metadata", "name"),
            ResourceID(group: RoleReference.group, plural: isLocal ? "rolebindings" : "clusterrolebindings"))
    }
}
