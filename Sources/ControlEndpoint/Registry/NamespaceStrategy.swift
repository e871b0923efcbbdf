internal import KubernetesAPI

/// Namespaces: they come with a default service account and go only when they are empty.
struct NamespaceStrategy: ResourceStrategy {
    /// Made at start; kube-node-lease holds the heartbeat of every node.
    static let systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"]
    private static let undeletable: Set<String> = ["default", "kube-system", "kube-public"]

    var hasStatus: Bool { true }
    var returnsDeletedObject: Bool { true }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = ["phase": "Active"]
        object["spec"] = ["finalizers": ["kubernetes"]]
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {
        object["spec"] = old["spec"]
    }

    func deletion(of object: JSONValue, requestedGraceSeconds: Int64?) -> DeletionPlan { .deferred }

    func refusalToDelete(_ name: String) -> APIStatusError? {
        guard Self.undeletable.contains(name) else { return nil }
        return .forbidden(ResourceID(group: "", plural: "namespaces"), name, "this namespace may not be deleted")
    }

    func afterCreate(_ object: StoredObject, _ operations: ResourceOperations) async {
        await operations.fillNamespace(object.key.name)
    }
}
