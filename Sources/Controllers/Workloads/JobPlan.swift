import KubernetesAPI

/// What a job needs done. Pure: `(object, pods, now) → actions + status`.
///
/// An ended pod keeps a finalizer until the job's status has counted it, so that none is counted twice or never.
struct JobPlan: Equatable {
    static let finalizer = "batch.kubernetes.io/job-tracking"
    /// Pods made or removed in one run at most.
    static let burstLimit = 500
    /// Seconds the first failed pod's replacement waits; each further failure doubles it.
    static let firstBackoffSeconds: Int64 = 10
    static let backoffLimitSeconds: Int64 = 360

    var creations = 0
    var deletions: [Pod] = []
    /// Pods that are counted in the status as it is now: they may go.
    var releases: [Pod] = []
    var status: JobStatus
    /// The job has been over for as long as it wants to be kept.
    var removesJob = false
    var nextLook: Duration?

    /// - Parameter pods: those the job controls.
    static func make(_ job: Job, pods: [Pod], now: Timestamp) -> JobPlan {
        var plan = JobPlan(status: job.status ?? JobStatus())
        plan.count(pods)
        let isOver = plan.status.finishedCondition != nil
        if !isOver, job.metadata.deletionTimestamp == nil { plan.advance(job, pods, now) }
        if let finished = plan.status.finishedCondition {
            plan.status.active = nil
            plan.status.ready = 0
            plan.deletions = pods.filter(\.isActive)
            if isOver, let lifetime = job.spec.ttlSecondsAfterFinished {
                let left = (finished.lastTransitionTime ?? now).seconds + Int64(lifetime) - now.seconds
                if left <= 0 { plan.removesJob = true } else { plan.nextLook = .seconds(left) }
            }
        }
        plan.status.terminating = Int32(
            clamping: pods.count { $0.metadata.deletionTimestamp != nil && !$0.isTerminal })
        return plan
    }

    /// Moves ended pods into the counters, in two steps: noted with their uid while they have the finalizer, counted
    /// once it is gone.
    private mutating func count(_ pods: [Pod]) {
        var noted = status.uncountedTerminatedPods ?? UncountedTerminatedPods()
        let tracked = Dictionary(
            pods.filter(\.isTracked).map { ($0.metadata.uid ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        let (waitingGood, countedGood) = (noted.succeeded ?? []).split { tracked[$0] != nil }
        let (waitingBad, countedBad) = (noted.failed ?? []).split { tracked[$0] != nil }
        status.succeeded = Self.sum(status.succeeded, countedGood.count)
        status.failed = Self.sum(status.failed, countedBad.count)
        releases = (waitingGood + waitingBad).compactMap { tracked[$0] }
        let known = Set(waitingGood + waitingBad)
        let ended = pods.filter { $0.isTracked && $0.isTerminal && !known.contains($0.metadata.uid ?? "") }
        noted.succeeded = waitingGood + ended.filter { $0.phase == .succeeded }.compactMap(\.metadata.uid)
        noted.failed = waitingBad + ended.filter { $0.phase == .failed }.compactMap(\.metadata.uid)
        if noted.succeeded?.isEmpty == true { noted.succeeded = nil }
        if noted.failed?.isEmpty == true { noted.failed = nil }
        status.uncountedTerminatedPods = noted == UncountedTerminatedPods() ? nil : noted
    }

    private static func sum(_ count: Int32?, _ more: Int) -> Int32? {
        let total = Int64(count ?? 0) + Int64(more)
        return total == 0 ? nil : Int32(clamping: total)
    }

    /// Everything that has succeeded or failed, counted or noted.
    private var succeeded: Int {
        Int(status.succeeded ?? 0) + (status.uncountedTerminatedPods?.succeeded?.count ?? 0)
    }
    private var failed: Int { Int(status.failed ?? 0) + (status.uncountedTerminatedPods?.failed?.count ?? 0) }

    private mutating func advance(_ job: Job, _ pods: [Pod], _ now: Timestamp) {
        let active = pods.filter(\.isActive)
        status.active = active.isEmpty ? nil : Int32(clamping: active.count)
        status.ready = Int32(clamping: active.count(where: \.isReady))
        if job.spec.suspend == true { return suspend(active, now) }
        if status.conditions?.contains(where: { $0.type == "Suspended" && $0.status == "True" }) == true {
            set("Suspended", false, "JobResumed", "Job resumed", now)
            status.startTime = now.wholeSeconds
        }
        if status.startTime == nil { status.startTime = now.wholeSeconds }
        if let end = decided ?? outcome(job, active, now) { return finish(end, active, now) }
        let parallelism = Int(max(0, job.spec.parallelism ?? 1))
        var wanted = parallelism
        if let completions = job.spec.completions {
            wanted = min(parallelism, max(0, Int(completions) - succeeded))
        } else if succeeded > 0 {
            // The work is done: what still runs may end, nothing new starts.
            wanted = min(parallelism, active.count)
        }
        if active.count > wanted {
            deletions = Array(
                active.sorted { ReplicaSetPlan.goesBefore($0, $1, now: now) }
                    .prefix(min(active.count - wanted, Self.burstLimit)))
        } else if active.count < wanted {
            let leaving = pods.count { $0.metadata.deletionTimestamp != nil && !$0.isTerminal }
            let held = job.spec.podReplacementPolicy == "Failed" ? leaving : 0
            let wait = backoff(pods, now)
            if wait > 0 {
                look(in: wait)
            } else {
                creations = max(0, min(wanted - active.count - held, Self.burstLimit))
            }
        }
        if let deadline = job.spec.activeDeadlineSeconds, let start = status.startTime {
            look(in: max(1, start.seconds + deadline - now.seconds))
        }
    }

    private mutating func look(in seconds: Int64) {
        nextLook = min(nextLook ?? .seconds(seconds), .seconds(seconds))
    }

    private mutating func suspend(_ active: [Pod], _ now: Timestamp) {
        deletions = active
        status.startTime = nil
        set("Suspended", true, "JobSuspended", "Job suspended", now)
    }

    /// Seconds until a replacement for failed pods may start.
    private func backoff(_ pods: [Pod], _ now: Timestamp) -> Int64 {
        guard failed > 0 else { return 0 }
        let ends = pods.filter { $0.phase == .failed }.compactMap(\.endTime)
        guard let last = ends.max() else { return 0 }
        let doublings = min(max(0, failed - 1), 6)
        let delay = min(Self.firstBackoffSeconds << Int64(doublings), Self.backoffLimitSeconds)
        return max(0, last.seconds + delay - now.seconds)
    }

    // MARK: The end

    private struct Outcome {
        var isSuccess: Bool
        var reason: String
        var message: String
    }

    private func outcome(_ job: Job, _ active: [Pod], _ now: Timestamp) -> Outcome? {
        if let completions = job.spec.completions {
            if succeeded >= completions {
                return Outcome(
                    isSuccess: true, reason: "CompletionsReached", message: "Reached expected number of succeeded pods")
            }
        } else if succeeded > 0, active.isEmpty {
            return Outcome(
                isSuccess: true, reason: "CompletionsReached", message: "Reached expected number of succeeded pods")
        }
        let restarts =
            job.spec.template.spec.restartPolicy == "OnFailure"
            ? active.reduce(0) { $0 + $1.containerRestarts } : 0
        let limit = Int(max(0, job.spec.backoffLimit ?? 6))
        if failed > limit || (restarts > 0 && restarts >= limit && job.spec.template.spec.restartPolicy == "OnFailure")
        {
            return Outcome(
                isSuccess: false, reason: "BackoffLimitExceeded",
                message: "Job has reached the specified backoff limit")
        }
        if let deadline = job.spec.activeDeadlineSeconds, let start = status.startTime,
            now.seconds >= start.seconds.addingReportingOverflow(deadline).partialValue
        {
            return Outcome(
                isSuccess: false, reason: "DeadlineExceeded", message: "Job was active longer than specified deadline")
        }
        return nil
    }

    /// An end that was decided before, and waits for its pods to be counted.
    private var decided: Outcome? {
        status.conditions?.first { ["SuccessCriteriaMet", "FailureTarget"].contains($0.type) && $0.status == "True" }
            .map {
                Outcome(
                    isSuccess: $0.type == "SuccessCriteriaMet", reason: $0.reason ?? "", message: $0.message ?? "")
            }
    }

    /// Decided, the job's other pods go; over, once every pod that has ended is counted, as who waits for it reads the counters.
    private mutating func finish(_ end: Outcome, _ active: [Pod], _ now: Timestamp) {
        if decided == nil {
            set(end.isSuccess ? "SuccessCriteriaMet" : "FailureTarget", true, end.reason, end.message, now)
        }
        deletions = active
        guard status.uncountedTerminatedPods == nil else { return }
        set(end.isSuccess ? "Complete" : "Failed", true, end.reason, end.message, now)
        if end.isSuccess { status.completionTime = now.wholeSeconds }
        nextLook = nil
    }

    private mutating func set(_ type: String, _ isTrue: Bool, _ reason: String, _ message: String, _ now: Timestamp) {
        status.conditions = WorkloadCondition.set(
            WorkloadCondition(
                type: type, status: isTrue ? "True" : "False", lastProbeTime: now.wholeSeconds,
                lastTransitionTime: now.wholeSeconds, reason: reason, message: message), in: status.conditions ?? [])
    }

    /// The pod the job makes, without a name: the server draws one.
    static func pod(from job: Job) -> Pod {
        var pod = Pod(spec: job.spec.template.spec)
        pod.metadata.generateName = "\(job.metadata.name ?? "")-"
        pod.metadata.namespace = job.metadata.namespace
        pod.metadata.labels = job.spec.template.metadata.labels
        pod.metadata.annotations = job.spec.template.metadata.annotations
        pod.metadata.finalizers = (job.spec.template.metadata.finalizers ?? []) + [finalizer]
        pod.metadata.ownerReferences = [job.controllingReference]
        return pod
    }
}

extension JobStatus {
    /// The condition that says the job is over.
    var finishedCondition: WorkloadCondition? {
        conditions?.first { ($0.type == "Complete" || $0.type == "Failed") && $0.status == "True" }
    }
}

extension Pod {
    /// Not yet counted by its job.
    var isTracked: Bool { metadata.finalizers?.contains(JobPlan.finalizer) == true }

    /// When the last container ended; for a pod that never ran, when it was made.
    fileprivate var endTime: Timestamp? {
        (status?.containerStatuses ?? []).compactMap { $0.state?.terminated?.finishedAt }.max()
            ?? metadata.creationTimestamp
    }

    fileprivate var containerRestarts: Int {
        ((status?.initContainerStatuses ?? []) + (status?.containerStatuses ?? []))
            .reduce(0) { $0 + Int($1.restartCount) }
    }
}
