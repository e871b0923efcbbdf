public import KubernetesAPI
public import KubernetesClient
public import Logging
public import Probes

/// What a pod worker works with: one of each per node. Nothing here but ``host`` and the two clients reaches outside the process, and
/// time comes from ``clock`` alone, so that the whole agent runs in a simulated world as well.
public struct PodDependencies: Sendable {
    public var host: any PodHost
    public var probes: PodProbes
    public var hooks: LifecycleHookRunner
    public var statuses: PodStatusManager
    public var events: EventRecorder
    public var timelines: PodTimelineStore
    public var durations: AgentDurations
    public var hostIPs: [String]
    /// What concerns more than one pod is told of the node.
    public var node: ObjectReference
    public var allocations: PodAllocations
    /// Says why the node does not take a pod; nil when it does.
    public var admission: @Sendable (_ pod: Pod, _ others: [Pod]) async -> PodRejection?
    /// What the node's policy denies a pod, or one container of it; nil when it denies nothing.
    public var policy: @Sendable (_ pod: Pod, _ container: String?) async -> PodPolicyCheck.Verdict?
    public var clock: any Clock<Duration>
    /// For the times that people and the API see; nothing is decided by it.
    public var wallClock: @Sendable () -> Timestamp
    public var logger: Logger

    public init(
        host: any PodHost, probes: PodProbes, hooks: LifecycleHookRunner, statuses: PodStatusManager,
        events: EventRecorder, timelines: PodTimelineStore, hostIPs: [String], node: ObjectReference = .node(""),
        allocations: PodAllocations = PodAllocations(), durations: AgentDurations = AgentDurations(),
        admission: @escaping @Sendable (_ pod: Pod, _ others: [Pod]) async -> PodRejection? = { _, _ in nil },
        policy: @escaping @Sendable (_ pod: Pod, _ container: String?) async -> PodPolicyCheck.Verdict? = { _, _ in nil
        },
        clock: any Clock<Duration> = ContinuousClock(), wallClock: @escaping @Sendable () -> Timestamp = { .now() },
        logger: Logger
    ) {
        self.host = host
        self.probes = probes
        self.hooks = hooks
        self.statuses = statuses
        self.events = events
        self.timelines = timelines
        self.hostIPs = hostIPs
        self.node = node
        self.allocations = allocations
        self.durations = durations
        self.admission = admission
        self.policy = policy
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
    }
}

/// Why a pod was not taken, or ended by the node: the reason and message of its status.
public struct PodRejection: Error, Hashable, Sendable {
    public var reason: String
    public var message: String
    /// The node ended a pod that had a right to run: its status says so in a condition of its own.
    public var isDisruption: Bool
    /// What that condition says; nil for the message.
    public var conditionMessage: String?
    /// What is missing to take the pod, where that is all that speaks against it so far.
    var shortages: [ResourceShortage] = []

    public init(reason: String, message: String, isDisruption: Bool = false, conditionMessage: String? = nil) {
        self.reason = reason
        self.message = message
        self.isDisruption = isDisruption
        self.conditionMessage = conditionMessage
    }
}
