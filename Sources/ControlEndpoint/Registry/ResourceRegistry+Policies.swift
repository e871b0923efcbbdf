internal import KubernetesAPI

/// The kinds that bound others.
extension ResourceRegistry {
    static let policies: [RegisteredResource] = [
        RegisteredResource(LimitRange.self, table: .limitRanges),
        RegisteredResource(ResourceQuota.self, strategy: ResourceQuotaStrategy(), table: .resourceQuotas),
        RegisteredResource(PriorityClass.self, strategy: PriorityClassStrategy(), table: .priorityClasses),
        RegisteredResource(
            PodDisruptionBudget.self, strategy: DisruptionBudgetStrategy(), table: .disruptionBudgets),
    ]
}
