internal import KubernetesAPI

/// Evictions: deletions of pods that respect their disruption budgets.
extension ResourceOperations {
    /// How often a grant is tried when others of the same budget come in between; the client is asked to wait after that.
    private static var grantLimit: Int { 20 }

    /// Deletes the pod, if its budget allows.
    func evict(
        _ resource: RegisteredResource, namespace: String, name: String, request: DeletionRequest
    ) async throws(APIStatusError) {
        let key = resource.key(namespace: namespace, name: name)
        for attempt in 1...Self.grantLimit {
            let pod = try get(resource, namespace: namespace, name: name)
            try check(request, against: pod)
            do {
                try await takeFromBudget(pod, isDryRun: request.isDryRun)
                break
            } catch  where error.reason == "Conflict" {
                guard attempt < Self.grantLimit else { throw .budgetContended }
            }
        }
        var request = request
        if !request.isDryRun {
            try await markDisrupted(key)
            // It held when it was looked at; the mark has changed it.
            request.resourceVersion = nil
        }
        _ = try await delete(resource, namespace: namespace, name: name, request: request)
    }

    /// Notes the pod at its budget before it goes: two at once cannot both have the last place.
    private func takeFromBudget(_ pod: StoredObject, isDryRun: Bool) async throws(APIStatusError) {
        let phase = pod.value.string("status", "phase")
        if pod.isBeingDeleted || ["Succeeded", "Failed", "Pending"].contains(phase) { return }
        let namespace = pod.key.namespace
        var found: [(stored: StoredObject, budget: PodDisruptionBudget)] = []
        for stored in store.list(Self.budgets, namespace: namespace).objects {
            let budget: PodDisruptionBudget
            do { budget = try JSONValueDecoder().decode(PodDisruptionBudget.self, from: stored.value) } catch {
                throw .internalError("budget \"\(stored.key.name)\" cannot be read: \(error)")
            }
            if Self.covers(budget, pod) { found.append((stored, budget)) }
        }
        guard let (stored, budget) = found.first else { return }
        guard found.count == 1 else {
            throw APIStatusError(
                code: 500, reason: "",
                message:
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
        }
        let decision = standing(of: budget, namespace)
        if decision.allowsWithoutBudget(DisruptionBudgetDecision.Member(pod.value)) { return }
        guard let granted = decision.granting(pod.key.name, now: now) else {
            throw .disruptionRefused(budget.metadata.name ?? "", decision.status)
        }
        if isDryRun { return }
        var next = stored.value
        do { next["status"] = try JSONValueEncoder().encode(granted) } catch { throw .internalError("\(error)") }
        do {
            _ = try await write(stored.key, expecting: .version(stored.resourceVersion), .put(next))
        } catch  where error.reason == "NotFound" {
            // The budget has gone just now: the pods are looked at again without it.
            throw .modified(stored.key.resource, stored.key.name)
        }
    }

    /// Says in the pod's status why it goes.
    private func markDisrupted(_ key: ObjectKey) async throws(APIStatusError) {
        for attempt in 1...Self.conflictRetryLimit {
            guard let pod = store.get(key), !pod.isBeingDeleted else { return }
            var value = pod.value
            var conditions = value.list("status", "conditions").filter { $0.string("type") != "DisruptionTarget" }
            conditions.append([
                "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting", "lastProbeTime": nil, "lastTransitionTime": .string(now.rfc3339),
            ])
            value.set(.array(conditions), at: "status", "conditions")
            do {
                _ = try await write(key, expecting: .version(pod.resourceVersion), .put(value))
                return
            } catch  where error.reason == "Conflict" && attempt < Self.conflictRetryLimit {
                continue
            } catch  where error.reason == "NotFound" {
                return
            }
        }
    }

    // MARK: Budgets

    /// Where a budget stands by the pods of this moment.
    func standing(of budget: PodDisruptionBudget, _ namespace: String) -> DisruptionBudgetDecision {
        let pods = store.list(Self.pods, namespace: namespace).objects.filter { Self.covers(budget, $0) }
        return DisruptionBudgetDecision(
            budget, members: pods.map { DisruptionBudgetDecision.Member($0.value) }, scale: scale(of: pods), now: now)
    }

    static func covers(_ budget: PodDisruptionBudget, _ pod: StoredObject) -> Bool {
        guard let selector = try? budget.spec.selector?.selector() else { return false }
        return selector.matches(pod.labels)
    }

    /// What the controllers of the pods want together. A pod that nothing controls is not expected by anybody.
    private func scale(of pods: [StoredObject]) -> DisruptionBudgetDecision.Scale {
        var wanted: [ObjectKey: Int64] = [:]
        for pod in pods {
            guard let owner = Self.controller(of: pod.value) else { continue }
            guard var key = Self.workload(owner, pod.key.namespace), var workload = store.get(key) else {
                return .unknown(reason: "found no controllers for pod \"\(pod.key.name)\"")
            }
            if let above = Self.controller(of: workload.value).flatMap({ Self.workload($0, pod.key.namespace) }),
                let found = store.get(above)
            {
                (key, workload) = (above, found)
            }
            guard let replicas = workload.value[path: "spec", "replicas"]?.intValue else {
                return .unknown(reason: "found no controllers for pod \"\(pod.key.name)\"")
            }
            wanted[key] = replicas
        }
        return .wanted(Int32(clamping: wanted.values.reduce(Int64(0)) { $0 &+ Int64(Int32(clamping: $1)) }))
    }

    private static func controller(of object: JSONValue) -> JSONValue? {
        object.list("metadata", "ownerReferences").first { $0["controller"] == true }
    }

    /// The workload behind an owner reference; nil for one that has no number of replicas.
    private static func workload(_ owner: JSONValue, _ namespace: String) -> ObjectKey? {
        let plurals = ["ReplicaSet": "replicasets", "Deployment": "deployments", "StatefulSet": "statefulsets"]
        guard owner.string("apiVersion") == "apps/v1", let plural = plurals[owner.string("kind")] else { return nil }
        return ObjectKey(
            resource: ResourceID(group: "apps", plural: plural), namespace: namespace, name: owner.string("name"))
    }
}

extension APIStatusError {
    /// A disruption budget has nothing left; trying again later may help.
    static func disruptionRefused(_ name: String, _ status: PodDisruptionBudgetStatus) -> APIStatusError {
        let failure = status.conditions?.first { $0.reason == DisruptionBudgetDecision.syncFailed }?.message
        let why =
            failure.map {
                "The disruption budget \(name) does not allow evicting pods currently because it failed sync: \($0)"
            }
            ?? "The disruption budget \(name) needs \(status.desiredHealthy) healthy pods and has "
            + "\(status.currentHealthy) currently"
        return APIStatusError(
            code: 429, reason: "TooManyRequests",
            message: "Cannot evict pod as it would violate the pod's disruption budget.",
            details: ["causes": [["reason": "DisruptionBudget", "message": .string(why)]]])
    }

    /// Too many evictions of one budget at once.
    static let budgetContended = APIStatusError(
        code: 429, reason: "TooManyRequests",
        message: "The disruption budget of the pod changes too often at the moment, please try again later.",
        details: ["retryAfterSeconds": 1])
}
