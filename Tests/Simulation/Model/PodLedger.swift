import KubernetesAPI
import NodeAgent

/// What the model knows of one pod: what was asked, and what really happened. None of it comes from the agent.
final class PodLedger {
    /// One run of a program.
    struct Run {
        var id: String
        var container: String
        var attempt: UInt32
        var sandboxID: String
        var image: String
        var startedAt: Duration
        var script: ProcessScript
        var exit: SimulatedMachine.ExitRecord?
        var isLost = false
        /// When the agent first did something to end it: hook or signal.
        var stopBegunAt: Duration?
        var signalledAt: Duration?
        var killedAt: Duration?
        var preStopBegunAt: Duration?
        var preStopEndedAt: Duration?
        var postStartEndedAt: Duration?
        var postStartFailed = false
        var livenessFailures = 0
        var startupFailures = 0
        var startupSucceeded = false
        var readinessFailures = 0
        var readinessFailedAt: Duration?
        /// Enough failures in a row that it is to be killed.
        var condemned: (kind: ScriptedCommand, at: Duration)?
    }

    let uid: String
    let isStatic: Bool
    var pod: Pod
    /// Images a container has had, and when they were asked for.
    var images: [String: [(image: String, at: Duration)]] = [:]
    var createdAt: Duration
    var deletionAskedAt: Duration?
    /// Every grace asked for, with its time.
    var graces: [(seconds: Int64, at: Duration)] = []
    var removedAt: Duration?
    var removedByAgent = false
    /// When the current agent heard of the deletion.
    var deletionToldAt: Duration?
    /// The graces the current agent has heard of, with the time.
    var toldGraces: [(seconds: Int64, at: Duration)] = []
    var terminalWrittenAt: Duration?
    var runs: [Run] = []
    var status: PodStatus?
    /// When the API was last told that it is ready after it was not.
    var readyAt: Duration = .zero
    /// Containers whose exit 0 the API showed when the machine rebooted.
    var doneBeforeReboot: Set<String> = []
    var rebootedAt: Duration?
    /// When its last container ended for good.
    var overAt: Duration?
    /// When its first status was written, or what that says of its start, whichever is earlier.
    var firstStatusAt: Duration?
    /// How often one of its containers was about to be made.
    var tries: [String: Int] = [:]
    /// It is in no source the present agent has, so that its definition is not known to it.
    var isOrphan = false

    /// When an agent first made something for it: no status may tell of that while the API is away.
    var begunAt: Duration?

    /// The earliest that an agent may take for the end of its time.
    var earliestDeadline: Duration? {
        guard let seconds = pod.spec.activeDeadlineSeconds else { return nil }
        return [firstStatusAt, begunAt].compactMap(\.self).min().map { $0 + .seconds(seconds) }
    }

    var deadlineAt: Duration? {
        guard let seconds = pod.spec.activeDeadlineSeconds, let firstStatusAt else { return nil }
        return firstStatusAt + .seconds(seconds)
    }
    /// A manifest that was removed and is there again: its pod may begin anew.
    var hasComeBack = false
    /// When it last did.
    var cameBackAt: Duration?

    init(_ pod: Pod, at now: Duration) {
        uid = pod.metadata.uid ?? ""
        isStatic = pod.isStatic
        self.pod = pod
        createdAt = now
        for container in Self.all(pod) { images[container.name] = [(container.image ?? "", now)] }
    }

    static func all(_ pod: Pod) -> [Container] { (pod.spec.initContainers ?? []) + pod.spec.containers }

    var containers: [Container] { Self.all(pod) }
    func container(_ name: String) -> Container? { containers.first { $0.name == name } }
    func isInit(_ name: String) -> Bool { pod.spec.initContainers?.contains { $0.name == name } == true }

    func isSidecar(_ container: Container) -> Bool { isInit(container.name) && container.restartPolicy == "Always" }

    func newest(_ name: String) -> Run? { runs.last { $0.container == name } }

    func index(_ id: String) -> Int? { runs.lastIndex { $0.id == id } }

    var spec: PodSpec { pod.spec }

    /// In seconds: the pod's own.
    var grace: Int64 { max(1, spec.terminationGracePeriodSeconds ?? 30) }

    /// Asked to go, in whatever way.
    var isLeaving: Bool { deletionAskedAt != nil || removedAt != nil }

    // MARK: Policy, told anew

    /// Whether a container may run again after it ended so.
    func mayRestart(_ container: Container, after exit: SimulatedMachine.ExitRecord) -> Bool {
        for rule in container.restartPolicyRules ?? [] {
            guard let codes = rule.exitCodes, let values = codes.values else { continue }
            let isIn = values.contains(exit.code)
            let matches = codes.operator == "In" ? isIn : codes.operator == "NotIn" && !isIn
            if matches { return true }
        }
        var policy = container.restartPolicy ?? spec.restartPolicy ?? "Always"
        // An init container that succeeded is done, whatever the pod's policy.
        if isInit(container.name), !isSidecar(container) {
            if exit.code == 0 { return false }
            if policy == "Always" { policy = "OnFailure" }
        }
        switch policy {
        case "Never": return false
        case "OnFailure": return exit.code != 0
        default: return true
        }
    }

    /// A container whose exit asks for all of the pod to begin anew.
    func restartsAll(_ container: Container, after exit: SimulatedMachine.ExitRecord) -> Bool {
        (container.restartPolicyRules ?? []).contains { rule in
            guard rule.action == "RestartAllContainers", let codes = rule.exitCodes else { return false }
            let isIn = codes.values?.contains(exit.code) == true
            return codes.operator == "In" ? isIn : codes.operator == "NotIn" && !isIn
        }
    }

    var usesRestartAll: Bool {
        containers.contains { ($0.restartPolicyRules ?? []).contains { $0.action == "RestartAllContainers" } }
    }

    /// Every app container has ended for good, or an init container has failed for good.
    var isOver: Bool {
        for container in spec.initContainers ?? [] where !isSidecar(container) {
            if let run = newest(container.name), let exit = run.exit, exit.code != 0,
                !mayRestart(container, after: exit)
            {
                return true
            }
        }
        return !spec.containers.isEmpty
            && spec.containers.allSatisfy { container in
                guard let run = newest(container.name), let exit = run.exit else { return false }
                return run.image == container.image && !mayRestart(container, after: exit)
            }
    }

    /// Every app container has ended for good, and no other image was the cause, whatever image it is asked to have since.
    var hasEndedByItself: Bool {
        spec.containers.allSatisfy { container in
            guard let run = newest(container.name), let exit = run.exit else { return false }
            let wasEdited = images[container.name]?.last.map { run.image != $0.image && $0.at <= exit.at } == true
            return (run.stopBegunAt == nil || !wasEdited) && !mayRestart(container, after: exit)
        }
    }

    var isHookRunning: Bool {
        containers.contains { container in
            guard container.lifecycle?.postStart != nil, let run = newest(container.name) else { return false }
            return run.exit == nil && run.postStartEndedAt == nil
        }
    }

    /// The delay before the n-th restart in a row (n from 1).
    static func backOff(restart: Int) -> Duration {
        restart <= 1 ? .zero : min(.seconds(10 << min(restart - 2, 5)), .seconds(300))
    }

    /// Restarts in a row before this run, counted from the newest backwards: one that ran ten minutes ends the row.
    func restartsInRow(_ name: String, image: String) -> Int {
        var count = 0
        let sandboxID = newest(name)?.sandboxID
        for run in runs.reversed() where run.container == name {
            guard run.image == image, run.sandboxID == sandboxID, let exit = run.exit,
                exit.at - run.startedAt < .seconds(600)
            else { break }
            count += 1
        }
        return count
    }
}
