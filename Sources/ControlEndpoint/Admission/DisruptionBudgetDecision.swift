internal import KubernetesAPI

/// Where a budget stands, and whether one more of its pods may go.
struct DisruptionBudgetDecision {
    /// Seconds after which a granted eviction that has not begun no longer counts (Kubernetes: `DeletionTimeout`).
    static let disruptionSeconds: Int64 = 120

    /// The reason of a budget that cannot be told.
    static let syncFailed = "SyncFailed"

    /// A pod as budgets see it.
    struct Member: Hashable {
        var name: String
        var isReady: Bool
        var isBeingDeleted: Bool

        init(_ pod: JSONValue) {
            name = pod.string("metadata", "name")
            isBeingDeleted = !pod.string("metadata", "deletionTimestamp").isEmpty
            isReady = pod.list("status", "conditions").contains {
                $0.string("type") == "Ready" && $0.string("status") == "True"
            }
        }
    }

    /// How many pods the controllers of the members want together.
    enum Scale: Hashable {
        case wanted(Int32)
        /// There is a pod whose controller does not say.
        case unknown(reason: String)
    }

    let budget: PodDisruptionBudget
    let status: PodDisruptionBudgetStatus

    init(_ budget: PodDisruptionBudget, members: [Member], scale: Scale, now: Timestamp) {
        self.budget = budget
        let (desired, expected, failure) = Self.bounds(budget.spec, Int32(clamping: members.count), scale)
        let names = Set(members.filter { !$0.isBeingDeleted }.map(\.name))
        let disrupted = (budget.status?.disruptedPods ?? [:]).filter { name, time in
            names.contains(name) && time.seconds + Self.disruptionSeconds > now.seconds
        }
        let healthy = Int32(
            clamping: members.filter { $0.isReady && !$0.isBeingDeleted && disrupted[$0.name] == nil }.count)
        var status = PodDisruptionBudgetStatus(
            observedGeneration: budget.metadata.generation, disruptedPods: disrupted.isEmpty ? nil : disrupted,
            disruptionsAllowed: expected > 0 && failure == nil && healthy > desired ? healthy - desired : 0,
            currentHealthy: healthy, desiredHealthy: desired, expectedPods: expected)
        status.conditions = [Self.condition(status, failure, budget, now)]
        self.status = status
    }

    /// A number that must stay asks nobody how many there should be; everything else is a part of what is wanted.
    private static func bounds(
        _ spec: PodDisruptionBudgetSpec, _ count: Int32, _ scale: Scale
    ) -> (desired: Int32, expected: Int32, failure: String?) {
        if spec.maxUnavailable == nil, case .int(let number)? = spec.minAvailable { return (number, count, nil) }
        guard spec.maxUnavailable != nil || spec.minAvailable != nil else { return (0, 0, nil) }
        switch scale {
        case .unknown(let reason): return (0, 0, reason)
        case .wanted(let wanted):
            if let most = spec.maxUnavailable {
                let missing = most.scaled(to: wanted, roundUp: true) ?? 0
                return (missing < wanted ? wanted - max(0, missing) : 0, wanted, nil)
            }
            return (spec.minAvailable?.scaled(to: wanted, roundUp: true) ?? 0, wanted, nil)
        }
    }

    private static func condition(
        _ status: PodDisruptionBudgetStatus, _ failure: String?, _ budget: PodDisruptionBudget, _ now: Timestamp
    ) -> Condition {
        let isAllowed = status.disruptionsAllowed > 0
        let value = isAllowed ? "True" : "False"
        let old = budget.status?.conditions?.first { $0.type == "DisruptionAllowed" }
        let reason = failure == nil ? (isAllowed ? "SufficientPods" : "InsufficientPods") : Self.syncFailed
        return Condition(
            type: "DisruptionAllowed", status: value, observedGeneration: budget.metadata.generation,
            lastTransitionTime: old?.status == value ? old?.lastTransitionTime : now.wholeSeconds,
            reason: reason, message: failure ?? "")
    }

    /// Nothing is lost by a pod that is not ready, unless the budget waits for just such pods to become so.
    func allowsWithoutBudget(_ member: Member) -> Bool {
        guard !member.isReady else { return false }
        if budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow" { return true }
        return status.desiredHealthy > 0 && status.currentHealthy >= status.desiredHealthy
    }

    /// The status once one more pod is granted; nil when none may go.
    func granting(_ name: String, now: Timestamp) -> PodDisruptionBudgetStatus? {
        guard status.disruptionsAllowed > 0 else { return nil }
        var granted = status
        granted.disruptionsAllowed -= 1
        granted.disruptedPods = (granted.disruptedPods ?? [:]).merging([name: now.wholeSeconds]) { _, new in new }
        return granted
    }
}
