internal import KubernetesAPI
internal import Logging

/// The status of quotas and disruption budgets, which is counted anew after each change that can move it.
extension ResourceOperations {
    static var budgets: ResourceID { ResourceID(group: "policy", plural: "poddisruptionbudgets") }

    /// Brings the status of the namespace's quotas and budgets up to date after one of its objects has changed.
    /// - Parameters:
    ///   - old: nil for an object that is new.
    ///   - new: nil for an object that is gone.
    func namespaceChanged(
        _ resource: ResourceID, _ namespace: String, old: @autoclosure () -> JSONValue?,
        new: @autoclosure () -> JSONValue?
    ) async {
        // Most namespaces have none, and then nothing is looked at.
        guard !namespace.isEmpty, hasPolicies(namespace), Self.matters(resource, old(), new()) else { return }
        await refreshPolicies(of: namespace)
    }

    /// What happened to the objects before the last stop may not have reached their quotas and budgets.
    func refreshAllPolicies() async {
        let policies = store.list(Self.quotas).objects + store.list(Self.budgets).objects
        for namespace in Set(policies.map(\.key.namespace)) { await refreshPolicies(of: namespace) }
    }

    private func hasPolicies(_ namespace: String) -> Bool {
        store.contains(Self.quotas, inNamespace: namespace) || store.contains(Self.budgets, inNamespace: namespace)
    }

    /// Not every write counts: a pod's status is written often, and only its end and its readiness do.
    private static func matters(_ resource: ResourceID, _ old: JSONValue?, _ new: JSONValue?) -> Bool {
        guard let old, let new else { return true }
        if old["spec"] != new["spec"] { return true }
        guard resource == pods else { return false }
        return DisruptionBudgetDecision.Member(old) != DisruptionBudgetDecision.Member(new)
            || old[path: "metadata", "labels"] != new[path: "metadata", "labels"]
            || old.string("status", "phase") != new.string("status", "phase")
    }

    private func refreshPolicies(of namespace: String) async {
        await policyRounds.run(namespace) {
            let quotas = decoded(ResourceQuota.self, Self.quotas, namespace)
            let objects = quotas.isEmpty ? [] : counted(by: quotas, namespace)
            for quota in quotas {
                let used = quotaLedger.used(of: quota, by: objects, now: now)
                let status = ResourceQuotaStatus(hard: quota.spec.hard, used: used)
                await setStatus(of: Self.quotas, namespace, quota.metadata) { _ in status }
            }
            quotaLedger.forget(namespace, except: Set(objects.lazy.map(\.key).filter { $0.resource == Self.pods }))
            for budget in decoded(PodDisruptionBudget.self, Self.budgets, namespace) {
                await setStatus(of: Self.budgets, namespace, budget.metadata) { current in
                    standing(of: try JSONValueDecoder().decode(PodDisruptionBudget.self, from: current), namespace)
                        .status
                }
            }
        }
    }

    /// Writes a status that differs, again when the object was changed in between. One that is gone needs none.
    private func setStatus(
        of resource: ResourceID, _ namespace: String, _ metadata: ObjectMeta,
        _ status: (JSONValue) throws -> some Encodable
    ) async {
        let key = ObjectKey(resource: resource, namespace: namespace, name: metadata.name ?? "")
        for _ in 1...Self.conflictRetryLimit {
            guard let current = store.get(key), current.uid == metadata.uid, !current.isBeingDeleted else { return }
            do {
                let encoded = try JSONValueEncoder().encode(try status(current.value))
                if encoded == current.value["status"] { return }
                var next = current.value
                next["status"] = encoded
                _ = try await write(key, expecting: .version(current.resourceVersion), .put(next))
                return
            } catch let error as APIStatusError where error.reason == "Conflict" || error.reason == "NotFound" {
                continue
            } catch {
                logger.warning("status not brought up to date", metadata: ["object": "\(key)", "reason": "\(error)"])
                return
            }
        }
    }
}
