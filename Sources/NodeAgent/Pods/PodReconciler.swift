public import KubernetesAPI

/// Decides what a pod needs next. Pure: the same desired pod, observation and clock give the same plan.
///
/// Level-triggered: a plan is made from scratch each time something happened, so that a crash between two actions, or an action
/// that failed, needs no memory to be put right.
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
        case start(container: String, attempt: UInt32)
        /// The definition changed: the instance makes way for a new one.
        case kill(containerID: String, container: String, message: String)
        /// An instance that no status needs any more.
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
    }

    private let pod: Pod
    private let observation: PodObservation
    private let blockers: [String: Blocker]
    private let backOff: RestartBackOff
    /// When each container's newest exit was noticed.
    private let exitSeenAt: [String: Duration]
    /// Attempts used before this node's records begin (a reboot lost them): the next one is at least this.
    private let firstAttempts: [String: UInt32]
    private let now: Duration
    private var plan = Plan()

    private init(
        _ pod: Pod, _ observation: PodObservation, _ blockers: [String: Blocker], _ backOff: RestartBackOff,
        _ exitSeenAt: [String: Duration], _ firstAttempts: [String: UInt32], _ now: Duration
    ) {
        self.pod = pod
        self.observation = observation
        self.blockers = blockers
        self.backOff = backOff
        self.exitSeenAt = exitSeenAt
        self.firstAttempts = firstAttempts
        self.now = now
    }

    /// - Parameter now: of a monotonic clock, as are all other durations.
    public static func plan(
        _ pod: Pod, observed observation: PodObservation, blockers: [String: Blocker] = [:],
        backOff: RestartBackOff = RestartBackOff(), exitSeenAt: [String: Duration] = [:],
        firstAttempts: [String: UInt32] = [:], now: Duration
    ) -> Plan {
        var reconciler = PodReconciler(pod, observation, blockers, backOff, exitSeenAt, firstAttempts, now)
        reconciler.decide()
        return reconciler.plan
    }

    /// The key under which a container's restarts are delayed. The image is part of it: a new image starts afresh.
    public static func backOffKey(_ pod: Pod, _ container: Container) -> String {
        "\(pod.metadata.uid ?? "")/\(container.name)/\(container.image ?? "")"
    }

    private mutating func decide() {
        trim()
        if hasEnded {
            plan.isFinished = true
            return
        }
        guard let sandboxID = observation.sandboxID else {
            plan.actions.append(.createSandbox(attempt: observation.nextSandboxAttempt))
            return
        }
        if !startInitContainers(in: sandboxID) { return }
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

    /// Every container has run to an end that the restart policy accepts as the last one.
    private var hasEnded: Bool {
        if let failed = failedInitContainer, !mayRestart(failed.terminated) { return !anyAlive }
        guard !pod.spec.containers.isEmpty else { return true }
        return pod.spec.containers.allSatisfy { container in
            guard let newest = observation.newest(container.name), let end = newest.terminated else { return false }
            return newest.definitionHash == container.definitionHash && !mayRestart(end)
        }
    }

    private var anyAlive: Bool { observation.containers.contains { $0.terminated == nil } }

    private var failedInitContainer: ContainerObservation? {
        for container in pod.spec.initContainers ?? [] {
            if let newest = observation.newest(container.name), let end = newest.terminated, end.exitCode != 0 {
                return newest
            }
        }
        return nil
    }

    private func mayRestart(_ end: ContainerStateTerminated?) -> Bool {
        switch RestartPolicy(rawValue: pod.spec.restartPolicy ?? "") ?? .always {
        case .always: true
        case .onFailure: end?.exitCode != 0
        case .never: false
        }
    }

    /// One after the other, each to success. True when all have succeeded, or the app containers prove that they had.
    private mutating func startInitContainers(in sandboxID: String) -> Bool {
        let initContainers = pod.spec.initContainers ?? []
        let appNames = Set(pod.spec.containers.map(\.name))
        if observation.containers.contains(where: { appNames.contains($0.name) && $0.sandboxID == sandboxID }) {
            return true
        }
        for container in initContainers {
            let newest = observation.newest(container.name)
            guard let newest, newest.sandboxID == sandboxID else {
                start(container, after: newest)
                return false
            }
            guard let end = newest.terminated else {
                // Created but never released (the agent died between): it is made anew by the runtime's own cleanup.
                return false
            }
            if end.exitCode == 0 { continue }
            if mayRestart(end) || RestartPolicy(rawValue: pod.spec.restartPolicy ?? "") != .never {
                restart(container, after: newest)
            }
            return false
        }
        return true
    }

    private mutating func reconcile(_ container: Container, in sandboxID: String) {
        guard let newest = observation.newest(container.name) else {
            start(container, after: nil)
            return
        }
        if newest.definitionHash != container.definitionHash {
            if newest.terminated == nil {
                plan.actions.append(
                    .kill(
                        containerID: newest.id, container: container.name,
                        message: "Container \(container.name) definition changed, will be restarted"))
            } else {
                start(container, after: newest)
            }
            return
        }
        guard let end = newest.terminated else { return }
        guard mayRestart(end) else { return }
        if newest.sandboxID != sandboxID {
            // The sandbox was lost, not the container's doing: no delay.
            start(container, after: newest)
        } else {
            restart(container, after: newest)
        }
    }

    private mutating func restart(_ container: Container, after newest: ContainerObservation) {
        let key = Self.backOffKey(pod, container)
        guard let until = backOff.blockedUntil(key, failedAt: exitSeenAt[container.name] ?? now, now: now) else {
            start(container, after: newest)
            return
        }
        let seconds = backOff.delay(key).components.seconds
        let podName = "\(pod.metadata.name ?? "")_\(pod.metadata.namespace ?? "")(\(pod.metadata.uid ?? ""))"
        wait(
            container.name,
            Blocker(
                reason: "CrashLoopBackOff",
                message: "back-off \(Self.text(seconds)) restarting failed container=\(container.name) pod=\(podName)",
                until: until))
    }

    private mutating func start(_ container: Container, after newest: ContainerObservation?) {
        if let blocker = blockers[container.name], blocker.until.map({ $0 > now }) ?? true {
            wait(container.name, blocker)
            return
        }
        let next = newest.map { $0.attempt &+ 1 } ?? 0
        plan.actions.append(.start(container: container.name, attempt: max(next, firstAttempts[container.name] ?? 0)))
    }

    private mutating func wait(_ name: String, _ blocker: Blocker) {
        plan.waiting[name] = blocker
        if let until = blocker.until { plan.wakeAt = min(plan.wakeAt ?? until, until) }
    }

    /// `10s`, `2m40s`: as Go prints a duration.
    static func text(_ seconds: Int64) -> String {
        seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
    }
}
