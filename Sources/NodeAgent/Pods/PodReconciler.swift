public import KubernetesAPI
public import Probes

/// Decides what a pod needs next. Pure: the same desired pod, observation and clock give the same plan.
///
/// Level-triggered: a plan is made from scratch each time something happened, so that a crash between two actions, or
/// an action that failed, needs no memory to be put right.
public struct PodReconciler: Sendable {
    /// Why a container cannot be started at the moment.
    public struct Blocker: Hashable, Sendable {
        public var reason: String
        public var message: String
        /// When to try again; nil while the cause itself will wake the pod.
        public var until: Duration?

        public init(reason: String, message: String, until: Duration?) {
            self.reason = reason
            self.message = message
            self.until = until
        }
    }

    public enum Action: Hashable, Sendable {
        case createSandbox(attempt: UInt32)
        /// An init container, sidecar, container of the pod's own, or ephemeral container.
        case start(container: String, attempt: UInt32)
        /// Of a running container of which nobody knows that its hook has ended.
        case runPostStart(containerID: String, container: String)
        /// `gracePeriodSeconds` replaces the pod's grace; nil for the pod's.
        case kill(containerID: String, container: String, reason: KillReason, gracePeriodSeconds: Int64?)
        /// An instance that no status needs any more. Its logs stay.
        case remove(containerID: String)
    }

    public struct Plan: Hashable, Sendable {
        public var actions: [Action] = []
        /// The earliest moment at which something could change by itself.
        public var wakeAt: Duration?
        /// Containers that wait, and why.
        public var waiting: [String: Blocker] = [:]
        /// Nothing runs and nothing will: the pod has ended by itself.
        public var isFinished = false
        /// A container ended in a way that restarts all of them: they are being killed and removed.
        public var restartingAll = false
    }

    let pod: Pod
    let observation: PodObservation
    let probes: ProbeVerdicts
    let blockers: [String: Blocker]
    let backOff: RestartBackOff
    /// When each container's newest exit was noticed.
    let exitSeenAt: [String: Duration]
    /// Attempts used before this node's records begin (a reboot lost them): the next one is at least this.
    let firstAttempts: [String: UInt32]
    let now: Duration
    let decision: RestartDecision
    var plan = Plan()

    /// - Parameters:
    ///   - pod: with the status this node last reported, which is what is known of instances that are gone.
    ///   - now: of a monotonic clock, as are all other durations.
    public static func plan(
        _ pod: Pod, observed observation: PodObservation, probes: ProbeVerdicts = ProbeVerdicts(),
        blockers: [String: Blocker] = [:], backOff: RestartBackOff = RestartBackOff(),
        exitSeenAt: [String: Duration] = [:], firstAttempts: [String: UInt32] = [:], now: Duration
    ) -> Plan {
        var reconciler = PodReconciler(
            pod: pod, observation: observation, probes: probes, blockers: blockers, backOff: backOff,
            exitSeenAt: exitSeenAt, firstAttempts: firstAttempts, now: now, decision: RestartDecision(pod))
        reconciler.decide()
        return reconciler.plan
    }

    /// The key under which a container's restarts are delayed. Image and resources are part of it: a container that was
    /// given another image, or more memory, starts afresh.
    public static func backOffKey(_ pod: Pod, _ container: Container) -> String {
        let resources = [container.resources?.limits, container.resources?.requests].map { quantities in
            (quantities ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        }
        return ([pod.metadata.uid ?? "", container.name, container.image ?? ""] + resources).joined(separator: "/")
    }

    private mutating func decide() {
        if pod.isTerminating {
            // What still runs is stopped by the termination; nothing is started any more.
            plan.isFinished = alive.isEmpty
            return
        }
        if restartAllIfAsked() { return }
        trim()
        if let reason = endReason {
            stopWhatIsLeft(reason)
            return
        }
        if stopStrangers() { return }
        guard let sandboxID = observation.sandboxID else {
            plan.actions.append(.createSandbox(attempt: observation.nextSandboxAttempt))
            return
        }
        startEphemeralContainers(in: sandboxID)
        guard initialize(in: sandboxID) else { return }
        for container in pod.spec.containers { reconcile(container, in: sandboxID) }
    }

    /// Keeps the newest instance of each container and the one before it, which `lastState` shows.
    private mutating func trim() {
        for name in Set(observation.containers.map(\.name)).sorted() {
            for instance in observation.instances(of: name).dropFirst(2) where instance.terminated != nil {
                plan.actions.append(.remove(containerID: instance.id))
            }
        }
    }

    /// Running in a sandbox that is gone or not the newest: ended before anything takes its place.
    private mutating func stopStrangers() -> Bool {
        let strangers = alive.filter { $0.sandboxID != observation.sandboxID }
        for instance in strangers { kill(instance, .sandboxLost) }
        return !strangers.isEmpty
    }

    /// Debugging does not wait for anything, also not for the init containers; and what was looked at once is not run
    /// again.
    private mutating func startEphemeralContainers(in sandboxID: String) {
        for ephemeral in pod.spec.ephemeralContainers ?? [] {
            let status = pod.status?.ephemeralContainerStatuses?.first { $0.name == ephemeral.name }
            let hasRun = status?.hasRun == true || firstAttempts[ephemeral.name] ?? 0 > 0
            if observation.newest(ephemeral.name) == nil, !hasRun {
                launch(ephemeral.container, after: nil, in: sandboxID)
            }
        }
    }

    /// One of the pod's own containers.
    private mutating func reconcile(_ container: Container, in sandboxID: String) {
        guard let newest = observation.newest(container.name) else {
            if !isOver(container) { launch(container, after: nil, in: sandboxID) }
            return
        }
        switch newest.state {
        case .created: launch(container, after: newest, in: sandboxID)
        case .running: killIfUnfit(container, newest)
        case .exited: if !isOver(container) { launch(container, after: newest, in: sandboxID) }
        }
    }

    /// A changed image counts whatever the restart policy says; other changes leave a running container alone. A hook that an agent
    /// before this one may not have brought to its end is run again.
    mutating func killIfUnfit(_ container: Container, _ instance: ContainerObservation) {
        if instance.definitionHash != container.definitionHash {
            kill(instance, .definitionChanged)
        } else if ResizePlanner.needsRestart(container, instance) {
            kill(instance, .resized)
        } else if let failure = probes.failed[instance.id] {
            kill(container, instance, failure)
        } else if instance.postStart == .failed {
            kill(instance, .postStartFailed)
        } else if instance.postStart == .pending, container.lifecycle?.postStart != nil {
            plan.actions.append(.runPostStart(containerID: instance.id, container: instance.name))
        }
    }

    mutating func kill(
        _ container: Container, _ instance: ContainerObservation, _ failure: ProbeVerdicts.Failure
    ) {
        let (probe, reason): (Probe?, KillReason) =
            failure.kind == .startup
            ? (container.startupProbe, .startupFailed) : (container.livenessProbe, .livenessFailed)
        kill(instance, reason, failure.gracePeriodSeconds ?? probe?.terminationGracePeriodSeconds)
    }

    mutating func kill(_ instance: ContainerObservation, _ reason: KillReason, _ gracePeriodSeconds: Int64? = nil) {
        plan.actions.append(
            .kill(
                containerID: instance.id, container: instance.name, reason: reason,
                gracePeriodSeconds: gracePeriodSeconds))
    }

    var alive: [ContainerObservation] { observation.containers.filter { $0.terminated == nil } }
}
