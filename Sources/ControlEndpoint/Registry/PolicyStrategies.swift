internal import KubernetesAPI

/// Quotas: what is used is counted here.
struct ResourceQuotaStrategy: ResourceStrategy {
    var hasStatus: Bool { true }
    var returnsDeletedObject: Bool { true }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = [:]
    }
}

/// Priority classes: one at most is everybody's, and the system's stay.
struct PriorityClassStrategy: ResourceStrategy {
    private static let id = ResourceID(group: "scheduling.k8s.io", plural: "priorityclasses")

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        try checkDefault(object, context)
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {
        if old["globalDefault"] != true { try checkDefault(object, context) }
    }

    private func checkDefault(_ object: JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        guard object["globalDefault"] == true else { return }
        let name = object.string("metadata", "name")
        let other = context.store.list(Self.id).objects.first {
            $0.value["globalDefault"] == true && $0.key.name != name
        }
        guard let other else { return }
        throw .forbidden(
            Self.id, name,
            "PriorityClass \(other.key.name) is already marked as default. Only one default can exist")
    }

    func refusalToDelete(_ name: String) -> APIStatusError? {
        guard PriorityClass.system[name] != nil else { return nil }
        return .forbidden(Self.id, name, "this is a system priority class and cannot be deleted")
    }
}

/// Disruption budgets: where they stand is counted here.
struct DisruptionBudgetStrategy: ResourceStrategy {
    var hasStatus: Bool { true }
    var tracksGeneration: Bool { true }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = [:]
    }
}
