import KubernetesAPI

/// What a deployment's status says of its rollout. Pure.
struct DeploymentProgress {
    private let deployment: Deployment
    private let rollout: DeploymentRollout

    init(_ deployment: Deployment, _ rollout: DeploymentRollout) {
        self.deployment = deployment
        self.rollout = rollout
    }

    /// - Returns: the status, and how long until the deadline may run out.
    func status(now: Timestamp) -> (DeploymentStatus, Duration?) {
        let before = deployment.status ?? DeploymentStatus()
        var status = before
        func sum(_ count: (ReplicaSet) -> Int32?) -> Int32 {
            Int32(clamping: rollout.all.reduce(Int64(0)) { $0 + Int64(count($1) ?? 0) })
        }
        let available = sum { $0.status?.availableReplicas }
        status.observedGeneration = deployment.metadata.generation
        status.replicas = Self.some(sum { $0.status?.replicas })
        status.updatedReplicas = Self.some(rollout.new?.status?.replicas ?? 0)
        status.readyReplicas = Self.some(sum { $0.status?.readyReplicas })
        status.availableReplicas = Self.some(available)
        status.unavailableReplicas = Self.some(max(0, sum(\.wanted) - available))
        status.terminatingReplicas = sum { $0.status?.terminatingReplicas }
        let bounds = rollout.bounds
        status.set(
            "Available", available >= bounds.minimumAvailable,
            available >= bounds.minimumAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            available >= bounds.minimumAvailable
                ? "Deployment has minimum availability." : "Deployment does not have minimum availability.", now)
        let wait = setProgress(&status, before, now)
        return (status, wait)
    }

    private static func some(_ count: Int32) -> Int32? { count == 0 ? nil : count }

    private func setProgress(
        _ status: inout DeploymentStatus, _ before: DeploymentStatus, _ now: Timestamp
    ) -> Duration? {
        guard let deadline = deployment.spec.progressDeadlineSeconds, deadline != .max else {
            status.conditions?.removeAll { $0.type == "Progressing" }
            return nil
        }
        let current = before.conditions?.first { $0.type == "Progressing" }
        if deployment.spec.paused == true {
            if current?.reason != "DeploymentPaused" {
                status.set("Progressing", nil, "DeploymentPaused", "Deployment is paused", now)
            }
            return nil
        }
        if current?.reason == "DeploymentPaused" {
            status.set("Progressing", nil, "DeploymentResumed", "Deployment is resumed", now)
        }
        if let created = rollout.actions.lazy.compactMap(Self.createdName).first {
            status.set("Progressing", true, "NewReplicaSetCreated", "Created new replica set \"\(created)\"", now)
            return .seconds(Int64(deadline) + 1)
        }
        let name = rollout.new?.metadata.name ?? deployment.metadata.name ?? ""
        if isComplete(status) {
            status.set(
                "Progressing", true, "NewReplicaSetAvailable",
                "ReplicaSet \"\(name)\" has successfully progressed.", now)
            return nil
        }
        if current?.reason == "NewReplicaSetAvailable", status.updatedReplicas == status.replicas { return nil }
        if hasMoved(status, before) || current == nil {
            // The time of the last movement counts, also when nothing else of the condition changes.
            status.conditions?.removeAll { $0.type == "Progressing" }
            status.set("Progressing", true, "ReplicaSetUpdated", "ReplicaSet \"\(name)\" is progressing.", now)
            if let current, current.status == "True" { status.keepTransition(of: current) }
            return .seconds(Int64(deadline) + 1)
        }
        let since = status.conditions?.first { $0.type == "Progressing" }?.lastUpdateTime ?? now
        let left = since.seconds + Int64(deadline) - now.seconds
        if current?.reason == "ProgressDeadlineExceeded" { return nil }
        guard left < 0 else { return .seconds(left + 1) }
        status.set(
            "Progressing", false, "ProgressDeadlineExceeded", "ReplicaSet \"\(name)\" has timed out progressing.", now)
        return nil
    }

    private static func createdName(_ action: DeploymentPlan.Action) -> String? {
        switch action {
        case .create(let set): set.metadata.name
        case .update, .delete: nil
        }
    }

    private func isComplete(_ status: DeploymentStatus) -> Bool {
        let replicas = rollout.bounds.replicas
        return rollout.new != nil && (status.updatedReplicas ?? 0) == replicas && (status.replicas ?? 0) == replicas
            && (status.availableReplicas ?? 0) == replicas
    }

    private func hasMoved(_ status: DeploymentStatus, _ before: DeploymentStatus) -> Bool {
        func old(_ status: DeploymentStatus) -> Int32 { (status.replicas ?? 0) - (status.updatedReplicas ?? 0) }
        return (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) || old(status) < old(before)
            || (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0)
            || (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
    }
}

extension DeploymentStatus {
    /// - Parameter isTrue: nil for Unknown.
    fileprivate mutating func set(
        _ type: String, _ isTrue: Bool?, _ reason: String, _ message: String, _ now: Timestamp
    ) {
        let text = isTrue.map { $0 ? ConditionStatus.true : .false } ?? .unknown
        conditions = WorkloadCondition.set(
            WorkloadCondition(
                type: type, status: text.rawValue, lastUpdateTime: now, lastTransitionTime: now, reason: reason,
                message: message), in: conditions ?? [])
    }

    fileprivate mutating func keepTransition(of old: WorkloadCondition) {
        guard let index = conditions?.firstIndex(where: { $0.type == old.type }) else { return }
        conditions?[index].lastTransitionTime = old.lastTransitionTime
    }
}
