import KubernetesAPI

/// What a node's status in the API becomes when the node reports one, and the patches that make it so. Pure.
enum NodeStatusMerge {
    /// Conditions the node reports; every other one belongs to somebody else.
    static let ownedConditions: Set<String> = [
        NodeConditionType.memoryPressure.rawValue, NodeConditionType.diskPressure.rawValue,
        NodeConditionType.pidPressure.rawValue, NodeConditionType.ready.rawValue, NodeObject.resourcesEnforced,
    ]

    /// - Parameter renewsHeartbeat: whether conditions that did not change get a new heartbeat all the same.
    static func merge(_ reported: NodeStatus, over existing: NodeStatus, renewsHeartbeat: Bool) -> NodeStatus {
        var merged = reported
        let old = Dictionary((existing.conditions ?? []).map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
        let conditions = (reported.conditions ?? []).map { condition in
            carried(condition, over: old[condition.type], renewsHeartbeat: renewsHeartbeat)
        }
        let foreign = (existing.conditions ?? []).filter { !ownedConditions.contains($0.type) }
        merged.conditions = foreign + conditions
        // Resources others add, such as those an operator patches in, are theirs: kept, and usable as a whole.
        let names = Set((reported.capacity ?? [:]).keys)
        for (name, amount) in existing.capacity ?? [:] where !names.contains(name) {
            merged.capacity?[name] = amount
            merged.allocatable?[name] = existing.allocatable?[name] ?? amount
        }
        merged.phase = existing.phase
        // As the API has it, an empty list is none.
        merged.volumesInUse = reported.volumesInUse.map { $0.isEmpty ? nil : $0 } ?? existing.volumesInUse
        merged.volumesAttached = existing.volumesAttached
        merged.config = existing.config
        merged.runtimeHandlers = reported.runtimeHandlers ?? existing.runtimeHandlers
        merged.features = reported.features ?? existing.features
        merged.declaredFeatures = reported.declaredFeatures ?? existing.declaredFeatures
        return merged
    }

    private static func carried(
        _ condition: NodeCondition, over old: NodeCondition?, renewsHeartbeat: Bool
    ) -> NodeCondition {
        guard let old else { return condition }
        var condition = condition
        if condition.status == old.status {
            condition.lastTransitionTime = old.lastTransitionTime ?? condition.lastTransitionTime
        }
        if !renewsHeartbeat { condition.lastHeartbeatTime = old.lastHeartbeatTime }
        return condition
    }

    /// The strategic merge patch of `nodes/status`; nil when there is nothing to write.
    static func patch(from existing: NodeStatus, to wanted: NodeStatus) -> JSONValue? {
        // The server would merge addresses by type and lose all but one of each.
        let rules: [String: StatusPatch.ListRule] = ["conditions": .keyed("type"), "addresses": .replaced]
        guard existing != wanted, let changes = StatusPatch.changes(from: existing, to: wanted, rules: rules),
            !changes.isEmpty
        else { return nil }
        return ["status": .object(changes)]
    }

    /// What an object that was there before this agent lacks of the wanted metadata; nil when it lacks nothing.
    static func metadataPatch(from existing: Node, to wanted: Node) -> JSONValue? {
        func missing(_ wanted: [String: String]?, _ existing: [String: String]?) -> JSONValue? {
            let missing = (wanted ?? [:]).filter { existing?[$0.key] != $0.value }
            // Spelled out: a bare nil could be read as JSON's null.
            return missing.isEmpty ? Optional.none : JSONValue.object(missing.mapValues { .string($0) })
        }
        var metadata: JSONValue = [:]
        metadata["labels"] = missing(wanted.metadata.labels, existing.metadata.labels)
        metadata["annotations"] = missing(wanted.metadata.annotations, existing.metadata.annotations)
        var patch: JSONValue = [:]
        if metadata != [:] { patch["metadata"] = metadata }
        // Assigned once; a range that is there may be in use.
        if existing.spec.podCIDR?.isEmpty ?? true, let range = wanted.spec.podCIDR {
            patch["spec"] = [
                "podCIDR": .string(range), "podCIDRs": .array((wanted.spec.podCIDRs ?? [range]).map { .string($0) }),
            ]
        }
        return patch == [:] ? Optional.none : patch
    }
}
