import KubernetesAPI
import KubernetesClient
import Testing

@testable import Controllers

@Suite("What a job needs")
struct JobPlanTests {
    private static let now = Timestamp(seconds: 1_000_000)

    private static func job(
        completions: Int32? = 1, parallelism: Int32 = 1, backoffLimit: Int32 = 6,
        _ change: (inout Job) -> Void = { _ in }
    ) -> Job {
        var job = Job(metadata: ObjectMeta(name: "once", namespace: "ns", uid: "j"))
        job.spec.completions = completions
        job.spec.parallelism = parallelism
        job.spec.backoffLimit = backoffLimit
        job.spec.template.spec.restartPolicy = "Never"
        change(&job)
        return job
    }

    private static func pod(
        _ name: String, _ phase: PodPhase = .running, tracked: Bool = true, endedAt: Int64 = 0
    ) -> Pod {
        var pod = ReplicaSetPlanTests.pod(name, phase: phase, readySince: nil)
        if tracked { pod.metadata.finalizers = [JobPlan.finalizer] }
        pod.metadata.creationTimestamp = Timestamp(seconds: endedAt)
        return pod
    }

    private func plan(_ job: Job, _ pods: [Pod], now: Timestamp = JobPlanTests.now) -> JobPlan {
        JobPlan.make(job, pods: pods, now: now)
    }

    /// What comes of the ended pods when all of them have been counted, and lost the finalizer.
    private func settled(_ job: Job, _ pods: [Pod]) -> JobPlan {
        var job = job
        job.status = plan(job, pods).status
        let counted = pods.map { pod in
            var pod = pod
            if ["Succeeded", "Failed"].contains(pod.status?.phase) { pod.metadata.finalizers = nil }
            return pod
        }
        return plan(job, counted)
    }

    @Test("pods run as many at a time as asked for, and no more than are still needed")
    func parallel() {
        #expect(plan(Self.job(completions: 5, parallelism: 2), []).creations == 2)
        var job = Self.job(completions: 5, parallelism: 3)
        job.status = JobStatus()
        job.status?.succeeded = 3
        #expect(plan(job, [Self.pod("a")]).creations == 1)
        job.spec.parallelism = 1
        #expect(plan(job, [Self.pod("a"), Self.pod("b")]).deletions.count == 1)
    }

    @Test("each ended pod is counted once: noted while it has its finalizer, counted when it has not")
    func counting() {
        var job = Self.job(completions: 3)
        let first = plan(job, [Self.pod("a", .succeeded)])
        #expect(first.status.uncountedTerminatedPods?.succeeded == ["uid-a"] && first.status.succeeded == nil)
        #expect(first.releases.isEmpty)
        job.status = first.status
        let second = plan(job, [Self.pod("a", .succeeded)])
        #expect(second.releases.map(\.metadata.name) == ["a"] && second.status.succeeded == nil)
        job.status = second.status
        for pods in [[Self.pod("a", .succeeded, tracked: false)], []] {
            let third = plan(job, pods)
            #expect(third.status.succeeded == 1 && third.status.uncountedTerminatedPods == nil)
        }
    }

    @Test("a job is complete when enough pods have succeeded")
    func complete() {
        let decided = plan(Self.job(), [Self.pod("a", .succeeded)])
        #expect(decided.status.finishedCondition == nil && decided.status.succeeded == nil)
        #expect(decided.status.conditions?.map(\.type) == ["SuccessCriteriaMet"])
        let done = settled(Self.job(), [Self.pod("a", .succeeded)])
        #expect(done.status.succeeded == 1)
        #expect(done.status.finishedCondition?.type == "Complete" && done.status.completionTime == Self.now)
        #expect(done.creations == 0)
    }

    @Test("without a number of completions the first success ends the work, once the others have ended")
    func workQueue() {
        let job = Self.job(completions: nil, parallelism: 2)
        let running = plan(job, [Self.pod("a", .succeeded), Self.pod("b")])
        #expect(running.status.finishedCondition == nil && running.creations == 0 && running.deletions.isEmpty)
        let ended = settled(job, [Self.pod("a", .succeeded), Self.pod("b", .failed)])
        #expect(ended.status.finishedCondition?.type == "Complete")
    }

    @Test("a failed pod is replaced after a back-off that doubles")
    func backoff() {
        let failed = Self.pod("a", .failed, endedAt: Self.now.seconds)
        let waiting = plan(Self.job(), [failed])
        #expect(waiting.creations == 0 && waiting.nextLook == .seconds(10))
        let later = Timestamp(seconds: Self.now.seconds + 10)
        #expect(plan(Self.job(), [failed], now: later).creations == 1)
        let twice = [failed, Self.pod("b", .failed, endedAt: Self.now.seconds)]
        #expect(plan(Self.job(), twice).nextLook == .seconds(20))
    }

    @Test("more failures than allowed end the job and its other pods")
    func backoffLimit() {
        let job = Self.job(completions: 2, parallelism: 2, backoffLimit: 0)
        let plan = settled(job, [Self.pod("a", .failed), Self.pod("b")])
        #expect(plan.status.finishedCondition?.reason == "BackoffLimitExceeded")
        #expect(plan.deletions.map(\.metadata.name) == ["b"])
    }

    @Test("a job ends at its deadline, and looks again then")
    func deadline() {
        var job = Self.job { $0.spec.activeDeadlineSeconds = 60 }
        let first = plan(job, [])
        #expect(first.nextLook == .seconds(60))
        job.status = first.status
        let late = plan(job, [Self.pod("a")], now: Timestamp(seconds: Self.now.seconds + 60))
        #expect(late.status.finishedCondition?.reason == "DeadlineExceeded")
        #expect(late.deletions.count == 1)
    }

    @Test("a suspended job ends its pods and starts anew when it goes on")
    func suspend() {
        var job = Self.job { $0.spec.suspend = true }
        let held = plan(job, [Self.pod("a")])
        #expect(held.deletions.count == 1 && held.creations == 0 && held.status.startTime == nil)
        job.status = held.status
        job.spec.suspend = false
        let resumed = plan(job, [])
        #expect(resumed.creations == 1 && resumed.status.startTime == Self.now)
        #expect(resumed.status.conditions?.first { $0.type == "Suspended" }?.status == "False")
    }

    @Test("a finished job goes when the time it is kept for is over")
    func lifetime() {
        var job = Self.job { $0.spec.ttlSecondsAfterFinished = 30 }
        job.status = settled(job, [Self.pod("a", .succeeded)]).status
        let early = plan(job, [])
        #expect(!early.removesJob && early.nextLook == .seconds(30))
        #expect(plan(job, [], now: Timestamp(seconds: Self.now.seconds + 30)).removesJob)
        job.spec.ttlSecondsAfterFinished = nil
        #expect(!plan(job, [], now: Timestamp(seconds: Self.now.seconds + 9_999_999)).removesJob)
    }
}
