import KubernetesAPI
import KubernetesClient
import Logging

/// Rolls each deployment's template out over its replica sets.
final class DeploymentController: Controller {
    let name = "deployment"

    private let deployments: Informer<Deployment>
    private let sets: OwnedObjects<ReplicaSet>
    private let pods: OwnedObjects<Pod>
    private let client: APIClient
    private let recorder: EventRecorder

    init(
        deployments: Informer<Deployment>, sets: OwnedObjects<ReplicaSet>, pods: OwnedObjects<Pod>,
        client: APIClient, recorder: EventRecorder
    ) {
        self.deployments = deployments
        self.sets = sets
        self.pods = pods
        self.client = client
        self.recorder = recorder
    }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard let deployment = deployments.object(key), let selector = try? deployment.spec.selector?.selector() else {
            return .done
        }
        if deployment.metadata.deletionTimestamp == nil {
            for orphan in sets.orphans(in: key.namespace)
            where orphan.metadata.deletionTimestamp == nil && selector.matches(orphan.metadata.labels ?? [:]) {
                var references = (orphan.metadata.ownerReferences ?? []).filter { $0.controller != true }
                references.append(deployment.controllingReference)
                try await client.setOwners(of: orphan, references)
            }
        }
        let owned = sets.objects(of: .init(kind: "Deployment", namespace: key.namespace, name: key.name))
            .filter { $0.metadata.isControlled(by: deployment.metadata.uid) }
        var plan = DeploymentPlan.make(deployment, sets: owned, hasPods: hasPods, now: .now())
        for action in plan.actions {
            if try await carryOut(action, deployment) == .nameTaken {
                plan.status.collisionCount = (plan.status.collisionCount ?? 0) &+ 1
            }
        }
        try await write(plan, deployment)
        return plan.nextLook.map { .requeue(after: $0) } ?? .done
    }

    private func hasPods(_ set: ReplicaSet) -> Bool {
        pods.objects(
            of: .init(kind: "ReplicaSet", namespace: set.metadata.namespace ?? "", name: set.metadata.name ?? "")
        ).contains { $0.metadata.isControlled(by: set.metadata.uid) && !$0.isTerminal }
    }

    private enum Outcome {
        case done, nameTaken
    }

    private func carryOut(_ action: DeploymentPlan.Action, _ deployment: Deployment) async throws(APIError) -> Outcome {
        let reference = ObjectReference(to: deployment)
        switch action {
        case .create(let set):
            let name = set.metadata.name ?? ""
            do {
                _ = try await client.create(set)
                record(reference, name, from: 0, to: set.wanted)
            } catch {
                guard error.isAlreadyExists else { throw error }
                // Made by an earlier run whose result has not been seen, or another template of the same name.
                let present = try await client.get(ReplicaSet.self, namespace: set.metadata.namespace, name: name)
                return present.metadata.isControlled(by: deployment.metadata.uid)
                    && present.spec.template.comparable == set.spec.template.comparable ? .done : .nameTaken
            }
        case .update(let set):
            let before = sets.objects(
                of: .init(
                    kind: "Deployment", namespace: set.metadata.namespace ?? "", name: deployment.metadata.name ?? "")
            ).first { $0.metadata.uid == set.metadata.uid }?.wanted
            do {
                _ = try await client.update(set)
            } catch {
                // The set has changed: its event brings another run.
                if error.isNotFound || error.isConflict { return .done }
                throw error
            }
            if let before { record(reference, set.metadata.name ?? "", from: before, to: set.wanted) }
        case .delete(let set):
            do {
                try await client.delete(
                    ReplicaSet.self, namespace: set.metadata.namespace, name: set.metadata.name ?? "",
                    options: DeleteOptions(
                        preconditions: Preconditions(uid: set.metadata.uid), propagationPolicy: "Background"))
            } catch {
                if !error.isNotFound, !error.isConflict { throw error }
            }
        }
        return .done
    }

    /// In kube-controller-manager's words; what stays as large as it is is no news.
    private func record(_ deployment: ObjectReference, _ set: String, from before: Int32, to wanted: Int32) {
        guard before != wanted else { return }
        recorder.record(
            deployment, reason: "ScalingReplicaSet",
            message: "Scaled \(before < wanted ? "up" : "down") replica set \(set) from \(before) to \(wanted)")
    }

    private func write(_ plan: DeploymentPlan, _ deployment: Deployment) async throws(APIError) {
        do throws(APIError) {
            var updated = deployment
            if let revision = plan.revision {
                let body: JSONValue = [
                    "metadata": [
                        "resourceVersion": .string(deployment.metadata.resourceVersion ?? ""),
                        "annotations": [DeploymentRevision.annotation: .string(String(revision))],
                    ]
                ]
                updated = try await client.patch(
                    Deployment.self, namespace: deployment.metadata.namespace, name: deployment.metadata.name ?? "",
                    type: .merge, body: body)
            }
            guard plan.status != deployment.status else { return }
            updated.status = plan.status
            _ = try await client.updateStatus(updated)
        } catch {
            // Newer than known: the informer will show it and bring another run.
            if !error.isNotFound, !error.isConflict { throw error }
        }
    }
}
