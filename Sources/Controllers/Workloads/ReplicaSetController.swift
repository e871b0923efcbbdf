import KubernetesAPI
import KubernetesClient
import Logging

/// Keeps each replica set's number of pods.
final class ReplicaSetController: Controller {
    let name = "replicaset"

    private let sets: Informer<ReplicaSet>
    private let pods: OwnedObjects<Pod>
    private let client: APIClient
    private let recorder: EventRecorder
    private let expectations = Expectations()

    init(
        sets: Informer<ReplicaSet>, pods: OwnedObjects<Pod>, client: APIClient, recorder: EventRecorder
    ) {
        self.sets = sets
        self.pods = pods
        self.client = client
        self.recorder = recorder
    }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard let set = sets.object(key) else {
            expectations.forget(key)
            return .done
        }
        let owned = pods.objects(of: .init(kind: "ReplicaSet", namespace: key.namespace, name: key.name))
            .filter { $0.metadata.isControlled(by: set.metadata.uid) }
        let present = Set(owned.compactMap(\.metadata.uid))
        let leaving = Set(owned.filter { !$0.isActive }.compactMap(\.metadata.uid))
        if let wait = expectations.outstanding(key, present: present, leaving: leaving) { return .requeue(after: wait) }
        var plan = ReplicaSetPlan.make(
            set, owned: owned, orphans: pods.orphans(in: key.namespace), now: .now())
        for pod in plan.adoptions { try await setController(of: pod, to: set) }
        for pod in plan.releases { try await setController(of: pod, to: nil) }
        let failure = await carryOut(plan, set, key)
        plan.status.setCondition(
            WorkloadCondition(
                type: "ReplicaFailure", status: failure == nil ? "False" : "True", lastTransitionTime: .now(),
                reason: failure == nil ? nil : plan.creations > 0 ? "FailedCreate" : "FailedDelete",
                message: failure?.message))
        if failure == nil { plan.status.conditions?.removeAll { $0.type == "ReplicaFailure" } }
        if plan.status.conditions?.isEmpty == true { plan.status.conditions = nil }
        try await writeStatus(plan.status, set)
        if let failure { throw failure }
        return plan.nextLook.map { .requeue(after: $0) } ?? .done
    }

    /// Makes and removes pods; the first refusal ends the run, as the others would be refused as well.
    private func carryOut(_ plan: ReplicaSetPlan, _ set: ReplicaSet, _ key: ObjectKey) async -> APIError? {
        let reference = ObjectReference(to: set)
        for _ in 0..<plan.creations {
            do throws(APIError) {
                let pod = try await client.create(ReplicaSetPlan.pod(from: set))
                expectations.created(pod.metadata.uid ?? "", for: key)
                recorder.record(
                    reference, reason: "SuccessfulCreate", message: "Created pod: \(pod.metadata.name ?? "")")
            } catch {
                if error.isCancelled { return error }
                recorder.record(
                    reference, type: .warning, reason: "FailedCreate", message: "Error creating: \(error.message)")
                return error
            }
        }
        for pod in plan.deletions {
            do throws(APIError) {
                try await client.delete(
                    Pod.self, namespace: key.namespace, name: pod.metadata.name ?? "",
                    options: DeleteOptions(preconditions: Preconditions(uid: pod.metadata.uid)))
                expectations.deleted(pod.metadata.uid ?? "", for: key)
                recorder.record(
                    reference, reason: "SuccessfulDelete", message: "Deleted pod: \(pod.metadata.name ?? "")")
            } catch {
                if error.isNotFound || error.isConflict { continue }
                return error
            }
        }
        return nil
    }

    /// Makes the set the pod's controller, or takes it away.
    private func setController(of pod: Pod, to set: ReplicaSet?) async throws(APIError) {
        var references = (pod.metadata.ownerReferences ?? []).filter { $0.controller != true }
        if let set { references.append(set.controllingReference) }
        try await client.setOwners(of: pod, references)
    }

    private func writeStatus(_ status: ReplicaSetStatus, _ set: ReplicaSet) async throws(APIError) {
        guard status != set.status else { return }
        var updated = set
        updated.status = status
        _ = try await client.writeStatus(updated)
    }
}

extension ReplicaSetStatus {
    /// Sets a condition; its transition time stays while its status does.
    mutating func setCondition(_ condition: WorkloadCondition) {
        conditions = WorkloadCondition.set(condition, in: conditions ?? [])
    }
}

extension WorkloadCondition {
    /// The list with the condition in it; the time of the last transition stays while the status does, that of the last
    /// update while nothing changes.
    static func set(_ condition: WorkloadCondition, in list: [WorkloadCondition]) -> [WorkloadCondition] {
        guard let index = list.firstIndex(where: { $0.type == condition.type }) else { return list + [condition] }
        var (list, new) = (list, condition)
        let old = list[index]
        if old.status == new.status { new.lastTransitionTime = old.lastTransitionTime }
        if old.status == new.status, old.reason == new.reason, old.message == new.message {
            new.lastUpdateTime = old.lastUpdateTime
            new.lastProbeTime = old.lastProbeTime
        }
        list[index] = new
        return list
    }
}

extension APIClient {
    /// Replaces the owners of an object, unless it has been replaced itself.
    func setOwners<T: KubernetesResource>(of object: T, _ references: [OwnerReference]) async throws(APIError) {
        let list: JSONValue
        do { list = try JSONValueEncoder().encode(references) } catch { return }
        let body: JSONValue = [
            "metadata": ["uid": .string(object.metadata.uid ?? ""), "ownerReferences": list]
        ]
        do {
            let _: T = try await patch(
                T.self, namespace: object.metadata.namespace, name: object.metadata.name ?? "", type: .merge, body: body
            )
        } catch {
            if error.isNotFound || error.isConflict { return }
            throw error
        }
    }
}
