import KubernetesAPI

/// Finds the words of a ``WhyReport``. Pure.
///
/// The first thing that keeps the pod from being ready is the answer: its end, what stands before its containers, its init
/// containers in their order, then the container that is worst off.
struct WhyReader {
    private let pod: Pod
    private let status: PodStatus
    private let timeline: [PodTimelineEntry]
    private let nextTries: [String: Duration]
    private let now: Timestamp

    init(_ pod: Pod, timeline: [PodTimelineEntry], nextTries: [String: Duration], now: Timestamp) {
        self.pod = pod
        status = pod.status ?? PodStatus()
        self.timeline = timeline
        self.nextTries = nextTries
        self.now = now
    }

    // MARK: The answer

    func answer() -> (WhyReport.State, String) {
        if pod.isTerminating { return (.deleting, "is being deleted: \(deletion())") }
        switch status.phase {
        case PodPhase.failed.rawValue: return (.failed, "has failed: \(failure())")
        case PodPhase.succeeded.rawValue:
            return (.succeeded, "has ended well\(lastEndTime().map { " \(ago($0))" } ?? "")")
        default: break
        }
        if let obstacle = obstacle() { return (.waiting, "cannot start: \(obstacle)") }
        if let step = initStep() { return step }
        let problems = (status.containerStatuses ?? []).compactMap(problem).sorted { $0.weight > $1.weight }
        if let worst = problems.first {
            let isRunning = worst.weight <= Problem.startupWeight
            let lead = isRunning ? "is running, but not ready: " : worst.isFresh ? "is starting: " : "is not ready: "
            return (isRunning ? .notReady : worst.isFresh ? .starting : .waiting, lead + worst.text)
        }
        if status.isTrue(.ready) { return (.ready, "is fine: running and ready\(readySince())") }
        if let condition = status.condition(.ready), condition.reason == "ReadinessGatesNotReady" {
            return (.notReady, "is running, but not ready: it waits for a readiness gate: \(condition.message ?? "")")
        }
        return (.starting, "is starting: the node has not looked at all of it yet")
    }

    private func ago(_ time: Timestamp) -> String { RelativeTime.ago(time, now: now) }

    private func readySince() -> String {
        let time = status.condition(.ready)?.lastTransitionTime
        let text = time.map { " for \(RelativeTime.text(now.since($0)))" } ?? ""
        let restarted = (status.containerStatuses ?? []).filter { $0.restartCount > 0 }.map { status in
            let end = status.lastState?.terminated.map { ", last \(ending($0, of: status.name))" } ?? ""
            return "container \(status.name) was restarted \(times(Int64(status.restartCount)))\(end)"
        }
        return text + (restarted.isEmpty ? "" : "; " + restarted.joined(separator: "; "))
    }

    private func deletion() -> String {
        let alive = PodStatusChanges.statuses(status).filter { $0.state?.running != nil }.map(\.name)
        if alive.isEmpty {
            if let event = newestWarning(["FailedKillPod"]) { return "nothing runs any more, but \(told(event))" }
            return "nothing runs any more, what it had on the node is being given back"
        }
        let names = alive.joined(separator: ", ")
        let (verb, pronoun) = alive.count == 1 ? ("has", "its") : ("have", "their")
        guard let deadline = pod.metadata.deletionTimestamp else { return "\(names) still runs" }
        let left = deadline.since(now)
        return left > .zero
            ? "\(names) \(verb) \(RelativeTime.until(left)) of \(pronoun) grace left"
            : "the grace of \(names) is over, \(verb == "has" ? "it is" : "they are") being killed"
    }

    private func failure() -> String {
        let words = [status.reason, status.message].compactMap(\.self).filter { !$0.isEmpty }
        if !words.isEmpty { return words.joined(separator: ": ") }
        let ends = PodStatusChanges.statuses(status).compactMap { status in
            status.lastEnd.map { (status.name, $0) }
        }.filter { $0.1.exitCode != 0 }
        guard let (name, end) = ends.first else { return "for a reason that is not known" }
        let policy = pod.spec.restartPolicy ?? "Always"
        return "container \(name) \(ending(end, of: name)), and restartPolicy \(policy) leaves it so"
    }

    private func lastEndTime() -> Timestamp? {
        PodStatusChanges.statuses(status).compactMap { $0.lastEnd?.finishedAt }.max()
    }

    /// What stands before every container: a sandbox or a volume that cannot be made, as long as nothing has been started since.
    private func obstacle() -> String? {
        let statuses = PodStatusChanges.statuses(status)
        guard !statuses.contains(where: { $0.state?.running != nil }) else { return nil }
        let reasons = [
            "FailedCreatePodSandBox", "FailedMount", "NetworkNotReady", "FailedCreatePodContainer", "FailedSync",
            "FailedAttachVolume", "FailedMapVolume",
        ]
        guard let event = newestWarning(reasons), now.since(event.last) <= PodTimeline.mergeWindow else { return nil }
        let later = timeline.contains { $0.kind == .started && $0.last >= event.last }
        return later ? nil : told(event)
    }

    private func newestWarning(_ reasons: [String], of container: String? = nil) -> PodTimelineEntry? {
        timeline.last {
            $0.kind == .event && $0.isWarning && reasons.contains($0.reason)
                && (container == nil || $0.container == container)
        }
    }

    private func told(_ entry: PodTimelineEntry) -> String {
        let last = ago(entry.last)
        guard entry.count > 1 else { return "\(entry.message) (\(last))" }
        let span = RelativeTime.text(entry.last.since(entry.first))
        return "\(entry.message) (\(entry.count) times in \(span), last \(last))"
    }

    private func initStep() -> (WhyReport.State, String)? {
        let all = pod.spec.initContainers ?? []
        let statuses = status.initContainerStatuses ?? []
        let started = (status.containerStatuses ?? []).contains { $0.state?.running != nil || $0.lastEnd != nil }
        guard !started else { return nil }
        for (index, container) in all.enumerated() {
            let status: ContainerStatus? = statuses.first { $0.name == container.name }
            if status?.ready == true || status?.state?.terminated?.exitCode == 0 { continue }
            // A sidecar only has to be started.
            if container.restartPolicy == "Always", status?.state?.running != nil, status?.started != false { continue }
            let place = all.count > 1 ? " (\(index + 1) of \(all.count))" : ""
            let problem: Problem? = status.flatMap { self.problem($0) }
            var text = problem.map { ": \($0.text)" } ?? ""
            if let running = status?.state?.running { text = ", which is running\(since(running.startedAt))" }
            let isFresh = status?.state?.running != nil || problem?.isFresh != false
            return (isFresh ? .starting : .waiting, "waits for init container \(container.name)\(place)\(text)")
        }
        return nil
    }

    private func since(_ time: Timestamp?) -> String {
        time.map { " for \(RelativeTime.text(now.since($0)))" } ?? ""
    }

    // MARK: One container

    /// What keeps a container from being ready.
    struct Problem {
        static let startupWeight = 3
        var weight: Int
        var text: String
        /// It has never failed: it is on its way.
        var isFresh = false
    }

    private func problem(_ status: ContainerStatus) -> Problem? {
        let name = status.name
        if let waiting = status.state?.waiting { return self.waiting(waiting, status) }
        if let end = status.state?.terminated {
            return Problem(weight: 7, text: "container \(name) \(ending(end, of: name))")
        }
        guard status.state?.running != nil, !status.ready else { return nil }
        let container = pod.spec.containers.first { $0.name == name }
        if status.started == false, container?.startupProbe != nil {
            return Problem(weight: Problem.startupWeight, text: probe("Startup", status))
        }
        if container?.readinessProbe != nil { return Problem(weight: 2, text: probe("Readiness", status)) }
        return Problem(weight: 1, text: "container \(name) is not ready yet")
    }

    private func waiting(_ waiting: ContainerStateWaiting, _ status: ContainerStatus) -> Problem {
        let (name, reason) = (status.name, waiting.reason ?? "")
        let step = reason == "CrashLoopBackOff" ? "start" : "try"
        let next = nextTries[name].map { "; next \(step) in \(RelativeTime.until($0))" }
        if let end = status.lastState?.terminated, reason == "CrashLoopBackOff" || isPlainWait(reason) {
            let backOff = waiting.shortMessage.isEmpty ? "" : " (\(waiting.shortMessage))"
            return Problem(weight: 9, text: crash(status, end) + (next ?? "; it is started again") + backOff)
        }
        if isPlainWait(reason) {
            return Problem(weight: 4, text: "container \(name) is being made", isFresh: true)
        }
        let message = waiting.message.flatMap { $0.isEmpty ? nil : $0 } ?? reason
        return Problem(weight: 8, text: "container \(name): \(message)\(next ?? "")")
    }

    private func isPlainWait(_ reason: String) -> Bool {
        ["", "ContainerCreating", "PodInitializing"].contains(reason)
    }

    /// `container app crashed 4 times, last exit code 3 (Error) 12 s ago`.
    private func crash(_ status: ContainerStatus, _ end: ContainerStateTerminated) -> String {
        // Attempts count from 0: as many restarts as there were, and the first.
        let count = Int64(status.restartCount) + 1
        let time = end.finishedAt.map { " \(ago($0))" } ?? ""
        if end.reason == "OOMKilled" {
            let last = count == 1 ? "" : " \(times(count)), last"
            return "container \(status.name) was OOMKilled\(last)\(time)\(limit(status.name))"
        }
        let verb = end.exitCode == 0 ? "ended" : "crashed"
        let killed = killer(of: status.name).map { ", ended by \($0.text)" } ?? ""
        return "container \(status.name) \(verb) \(times(count)), last \(end.text)\(killed)\(time)"
    }

    private func ending(_ end: ContainerStateTerminated, of name: String) -> String {
        let time = end.finishedAt.map { " \(ago($0))" } ?? ""
        if end.reason == "OOMKilled" { return "was OOMKilled\(time)\(limit(name))" }
        return "ended with \(end.text)\(killer(of: name).map { ", ended by \($0.text)" } ?? "")\(time)"
    }

    private func killer(of name: String) -> KillSource? {
        timeline.last { $0.kind == .ended && $0.container == name }?.killedBy
    }

    private func limit(_ name: String) -> String {
        let containers = (pod.spec.initContainers ?? []) + pod.spec.containers
        guard let limit = containers.first(where: { $0.name == name })?.resources?.limits?["memory"] else {
            return ": it has no memory limit of its own, its pod or the node ran out"
        }
        return ": its memory limit is \(limit)"
    }

    private func times(_ count: Int64) -> String { count == 1 ? "once" : "\(count) times" }

    private func probe(_ kind: String, _ status: ContainerStatus) -> String {
        let startedAt = status.state?.running?.startedAt ?? now
        let failed = timeline.last {
            $0.kind == .event && $0.reason == "Unhealthy" && $0.container == status.name && $0.last >= startedAt
                && $0.message.hasPrefix(kind)
        }
        guard let failed else {
            return "the \(kind.lowercased()) probe of \(status.name) has not succeeded yet (started \(ago(startedAt)))"
        }
        let prefix = "\(kind) probe failed: "
        let message = failed.message.hasPrefix(prefix) ? String(failed.message.dropFirst(prefix.count)) : failed.message
        var shown = failed
        shown.message = message
        return "the \(kind.lowercased()) probe of \(status.name) fails: \(told(shown))"
    }

    // MARK: Lines

    func containerLines() -> [WhyReport.ContainerLine] {
        let sidecars = Set((pod.spec.initContainers ?? []).filter { $0.restartPolicy == "Always" }.map(\.name))
        let lines = { (statuses: [ContainerStatus]?, kind: String) in
            (statuses ?? []).map { status in
                WhyReport.ContainerLine(
                    name: status.name, kind: sidecars.contains(status.name) ? "sidecar" : kind, text: line(status))
            }
        }
        return lines(status.initContainerStatuses, "init") + lines(status.containerStatuses, "")
            + lines(status.ephemeralContainerStatuses, "ephemeral")
    }

    private func line(_ status: ContainerStatus) -> String {
        var parts: [String] = []
        if let running = status.state?.running {
            parts.append("running\(since(running.startedAt))" + (status.ready ? ", ready" : ", not ready"))
        } else if let end = status.state?.terminated {
            parts.append(ending(end, of: status.name))
        } else {
            let waiting = status.state?.waiting
            let next = nextTries[status.name].map { ", next try in \(RelativeTime.until($0))" } ?? ""
            parts.append("waits: \(waiting?.reason ?? "ContainerCreating")\(next)")
        }
        if status.restartCount > 0 { parts.append("restarted \(times(Int64(status.restartCount)))") }
        if status.state?.terminated == nil, let end = status.lastState?.terminated {
            parts.append("before: \(ending(end, of: status.name))")
        }
        parts.append("image \(status.image)")
        return parts.joined(separator: "; ")
    }
}
