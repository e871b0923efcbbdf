import KubernetesAPI
import KubernetesClient
import Logging

/// Runs each job's pods until enough have succeeded, and removes it when its time after the end is over.
final class JobController: Controller {
    let name = "job"

    private let jobs: Informer<Job>
    private let pods: OwnedObjects<Pod>
    private let client: APIClient
    private let recorder: EventRecorder
    private let expectations = Expectations()

    init(jobs: Informer<Job>, pods: OwnedObjects<Pod>, client: APIClient, recorder: EventRecorder) {
        self.jobs = jobs
        self.pods = pods
        self.client = client
        self.recorder = recorder
    }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        let named = pods.objects(of: .init(kind: "Job", namespace: key.namespace, name: key.name))
        let job = jobs.object(key)
        let (owned, lost) = named.split { $0.metadata.isControlled(by: job?.metadata.uid) }
        // Nobody counts the pods of a job that is gone.
        for pod in lost where jobs.hasSynced { try await release(pod) }
        guard let job else {
            expectations.forget(key)
            return .done
        }
        let present = Set(owned.compactMap(\.metadata.uid))
        let leaving = Set(owned.filter { !$0.isActive }.compactMap(\.metadata.uid))
        if let wait = expectations.outstanding(key, present: present, leaving: leaving) { return .requeue(after: wait) }
        let plan = JobPlan.make(job, pods: owned, now: .now())
        if plan.removesJob {
            try await client.delete(
                Job.self, namespace: key.namespace, name: key.name,
                options: DeleteOptions(
                    preconditions: Preconditions(uid: job.metadata.uid), propagationPolicy: "Background"))
            return .done
        }
        for pod in plan.deletions { try await delete(pod, job, key) }
        for _ in 0..<plan.creations { try await create(job, key) }
        for pod in plan.releases { try await release(pod) }
        try await write(plan.status, job)
        return plan.nextLook.map { .requeue(after: $0) } ?? .done
    }

    private func create(_ job: Job, _ key: ObjectKey) async throws(APIError) {
        let reference = ObjectReference(to: job)
        do {
            let pod = try await client.create(JobPlan.pod(from: job))
            expectations.created(pod.metadata.uid ?? "", for: key)
            recorder.record(reference, reason: "SuccessfulCreate", message: "Created pod: \(pod.metadata.name ?? "")")
        } catch {
            if !error.isCancelled {
                recorder.record(
                    reference, type: .warning, reason: "FailedCreate", message: "Error creating: \(error.message)")
            }
            throw error
        }
    }

    private func delete(_ pod: Pod, _ job: Job, _ key: ObjectKey) async throws(APIError) {
        do {
            try await client.delete(
                Pod.self, namespace: key.namespace, name: pod.metadata.name ?? "",
                options: DeleteOptions(preconditions: Preconditions(uid: pod.metadata.uid)))
            expectations.deleted(pod.metadata.uid ?? "", for: key)
            recorder.record(
                ObjectReference(to: job), reason: "SuccessfulDelete", message: "Deleted pod: \(pod.metadata.name ?? "")"
            )
        } catch {
            if !error.isNotFound, !error.isConflict { throw error }
        }
    }

    /// Takes the job's finalizer from a pod.
    private func release(_ pod: Pod) async throws(APIError) {
        guard pod.isTracked else { return }
        let rest = (pod.metadata.finalizers ?? []).filter { $0 != JobPlan.finalizer }
        let body: JSONValue = [
            "metadata": [
                "uid": .string(pod.metadata.uid ?? ""), "resourceVersion": .string(pod.metadata.resourceVersion ?? ""),
                "finalizers": .array(rest.map(JSONValue.string)),
            ]
        ]
        do {
            let _: Pod = try await client.patch(
                Pod.self, namespace: pod.metadata.namespace, name: pod.metadata.name ?? "", type: .merge, body: body)
        } catch {
            // Gone, or newer than known: the informer will show it and bring another run.
            if !error.isNotFound, !error.isConflict { throw error }
        }
    }

    private func write(_ status: JobStatus, _ job: Job) async throws(APIError) {
        guard status != job.status else { return }
        var updated = job
        updated.status = status
        guard try await client.writeStatus(updated) else { return }
        guard job.status?.finishedCondition == nil, let end = status.finishedCondition else { return }
        if end.type == "Complete" {
            recorder.record(ObjectReference(to: job), reason: "Completed", message: "Job completed")
        } else {
            recorder.record(
                ObjectReference(to: job), type: .warning, reason: end.reason ?? "Failed", message: end.message ?? "")
        }
    }
}
