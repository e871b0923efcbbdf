import KubernetesAPI

/// What a pod's status in the API becomes when the node reports one, and the patch that makes it so. Pure.
///
/// The node owns most of the status, but not all: conditions of others stay, and what has been said for good (a
/// terminal phase, the start time, restart counts) is never taken back.
enum PodStatusMerge {
    /// Conditions the node reports; every other one belongs to somebody else.
    static let ownedConditions: Set<String> = Set(
        [
            PodConditionType.podScheduled, .podReadyToStartContainers, .initialized, .containersReady, .ready,
            .podResizePending, .podResizeInProgress, .allContainersRestarting,
        ].map(\.rawValue))

    /// Puts what the node reports over what is known of the pod.
    ///
    /// - Parameters:
    ///   - reported: what the node sees now.
    ///   - existing: what the API holds, or what was reported before.
    static func merge(_ reported: PodStatus, over existing: PodStatus) -> PodStatus {
        var merged = normalized(reported)
        let existing = normalized(existing)
        holdPhase(&merged, existing)
        merged.startTime = existing.startTime ?? merged.startTime
        merged.observedGeneration = greater(merged.observedGeneration, existing.observedGeneration)
        merged.hostIP = merged.hostIP ?? existing.hostIP
        merged.hostIPs = merged.hostIPs ?? existing.hostIPs
        merged.qosClass = merged.qosClass ?? existing.qosClass
        // Written by the scheduler and the claim controller.
        merged.nominatedNodeName = existing.nominatedNodeName
        merged.resourceClaimStatuses = existing.resourceClaimStatuses
        merged.extendedResourceClaimStatus = existing.extendedResourceClaimStatus
        merged.nodeAllocatableResourceClaimStatuses = existing.nodeAllocatableResourceClaimStatuses
        holdRestartCounts(&merged.containerStatuses, existing.containerStatuses)
        holdRestartCounts(&merged.initContainerStatuses, existing.initContainerStatuses)
        holdRestartCounts(&merged.ephemeralContainerStatuses, existing.ephemeralContainerStatuses)
        merged.conditions = conditions(merged, existing)
        return merged
    }

    /// The strategic merge patch from one status to another, with the pod's UID as precondition; nil when there is
    /// nothing to write.
    static func patch(from existing: PodStatus, to wanted: PodStatus, uid: String) -> JSONValue? {
        let (existing, wanted) = (normalized(existing), normalized(wanted))
        guard existing != wanted, let changes = StatusPatch.changes(from: existing, to: wanted, rules: rules),
            !changes.isEmpty
        else { return nil }
        return ["metadata": ["uid": .string(uid)], "status": .object(changes)]
    }

    /// Lists the API server merges by key; all others of a pod's status are replaced as a whole.
    private static let rules: [String: StatusPatch.ListRule] = [
        "conditions": .keyed("type"), "podIPs": .replaced, "hostIPs": .replaced, "resourceClaimStatuses": .replaced,
    ]

    /// Times in whole seconds, as the API keeps them, and no empty lists: statuses that read back the same are equal.
    static func normalized(_ status: PodStatus) -> PodStatus {
        var status = status
        status.startTime = status.startTime?.wholeSeconds
        status.conditions = nonEmpty(
            status.conditions?.map { condition in
                var condition = condition
                condition.lastProbeTime = condition.lastProbeTime?.wholeSeconds
                condition.lastTransitionTime = condition.lastTransitionTime?.wholeSeconds
                return condition
            })
        status.podIPs = nonEmpty(status.podIPs)
        status.hostIPs = nonEmpty(status.hostIPs)
        status.resourceClaimStatuses = nonEmpty(status.resourceClaimStatuses)
        status.containerStatuses = nonEmpty(status.containerStatuses?.map(normalized))
        status.initContainerStatuses = nonEmpty(status.initContainerStatuses?.map(normalized))
        status.ephemeralContainerStatuses = nonEmpty(status.ephemeralContainerStatuses?.map(normalized))
        for path in [\PodStatus.phase, \.message, \.reason, \.hostIP, \.podIP, \.qosClass, \.nominatedNodeName]
        where status[keyPath: path]?.isEmpty == true {
            status[keyPath: path] = nil
        }
        return status
    }

    private static func normalized(_ status: ContainerStatus) -> ContainerStatus {
        var status = status
        status.state = normalized(status.state)
        status.lastState = normalized(status.lastState)
        return status
    }

    private static func normalized(_ state: ContainerState?) -> ContainerState? {
        guard var state else { return nil }
        if var running = state.running {
            running.startedAt = running.startedAt?.wholeSeconds
            state.running = running
        }
        state.terminated = state.terminated?.wholeSeconds
        // An empty state and none mean the same: the server gives `lastState: {}` for a container without one.
        return state.waiting == nil && state.running == nil && state.terminated == nil ? nil : state
    }

    private static func nonEmpty<Element>(_ list: [Element]?) -> [Element]? { list?.isEmpty == true ? nil : list }

    private static func greater(_ one: Int64?, _ other: Int64?) -> Int64? {
        guard let one else { return other }
        return other.map { max(one, $0) } ?? one
    }

    // MARK: What is never taken back

    static func isTerminal(_ phase: String?) -> Bool {
        phase == PodPhase.succeeded.rawValue || phase == PodPhase.failed.rawValue
    }

    /// A terminal phase stays; and it is not said while a container still runs, since controllers take it as the
    /// permission to start a replacement.
    private static func holdPhase(_ merged: inout PodStatus, _ existing: PodStatus) {
        if isTerminal(existing.phase), merged.phase != existing.phase {
            merged.phase = existing.phase
            merged.reason = existing.reason
            merged.message = existing.message
        } else if isTerminal(merged.phase), !isTerminal(existing.phase), hasRunningContainer(merged) {
            merged.phase = existing.phase ?? PodPhase.pending.rawValue
            merged.reason = existing.reason
            merged.message = existing.message
        }
    }

    private static func hasRunningContainer(_ status: PodStatus) -> Bool {
        [status.containerStatuses, status.initContainerStatuses, status.ephemeralContainerStatuses]
            .contains { $0?.contains { $0.state?.running != nil } == true }
    }

    private static func holdRestartCounts(_ statuses: inout [ContainerStatus]?, _ existing: [ContainerStatus]?) {
        guard let existing, let count = statuses?.count else { return }
        let before = Dictionary(existing.map { ($0.name, $0.restartCount) }, uniquingKeysWith: max)
        for index in 0..<count {
            guard let status = statuses?[index], let old = before[status.name] else { continue }
            statuses?[index].restartCount = max(status.restartCount, old)
        }
    }

    // MARK: Conditions

    private static func conditions(_ merged: PodStatus, _ existing: PodStatus) -> [PodCondition]? {
        let old = Dictionary((existing.conditions ?? []).map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
        let shared = PodConditionType.disruptionTarget.rawValue
        var result: [PodCondition] = []
        for condition in merged.conditions ?? [] {
            // A disruption is announced only with the phase it leads to.
            let isOurs =
                ownedConditions.contains(condition.type)
                || (condition.type == shared && isTerminal(merged.phase))
            if isOurs { result.append(carried(forced(condition, phase: merged.phase), over: old[condition.type])) }
        }
        let told = Set(result.map(\.type))
        result += (existing.conditions ?? []).filter { !ownedConditions.contains($0.type) && !told.contains($0.type) }
        return nonEmpty(result)
    }

    /// A pod that has ended is not ready, whatever its containers last said.
    private static func forced(_ condition: PodCondition, phase: String?) -> PodCondition {
        let readiness = [PodConditionType.ready.rawValue, PodConditionType.containersReady.rawValue]
        guard isTerminal(phase), readiness.contains(condition.type), condition.status != ConditionStatus.false.rawValue
        else { return condition }
        var condition = condition
        condition.status = ConditionStatus.false.rawValue
        condition.reason = phase == PodPhase.succeeded.rawValue ? "PodCompleted" : "PodFailed"
        condition.message = nil
        return condition
    }

    /// The time of the last transition is kept while the status stays; the generation never goes back.
    private static func carried(_ condition: PodCondition, over old: PodCondition?) -> PodCondition {
        guard let old else { return condition }
        var condition = condition
        if condition.status == old.status {
            condition.lastTransitionTime = old.lastTransitionTime ?? condition.lastTransitionTime
        }
        condition.observedGeneration = greater(condition.observedGeneration, old.observedGeneration)
        return condition
    }
}
