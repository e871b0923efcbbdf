public import KubernetesAPI

/// Builds the status that the API shall show from what is observed. Pure.
public struct PodStatusBuilder: Sendable {
    public struct Input: Sendable {
        public var pod: Pod
        public var observation: PodObservation
        /// Containers that wait, from the reconciler's plan.
        public var waiting: [String: PodReconciler.Blocker]
        /// The pod has ended, or its containers were stopped for good: terminal phases may be reported.
        public var isFinished: Bool
        /// Set when the pod was refused, or ended for a reason of the node's.
        public var failure: (reason: String, message: String)?
        public var podIPs: [String]
        public var hostIPs: [String]
        public var volumesMounted: Bool
        public var now: Timestamp

        public init(
            pod: Pod, observation: PodObservation, waiting: [String: PodReconciler.Blocker] = [:],
            isFinished: Bool = false, failure: (reason: String, message: String)? = nil, podIPs: [String] = [],
            hostIPs: [String] = [], volumesMounted: Bool = true, now: Timestamp
        ) {
            self.pod = pod
            self.observation = observation
            self.waiting = waiting
            self.isFinished = isFinished
            self.failure = failure
            self.podIPs = podIPs
            self.hostIPs = hostIPs
            self.volumesMounted = volumesMounted
            self.now = now
        }
    }

    private let input: Input
    private let previous: PodStatus

    private init(_ input: Input) {
        self.input = input
        previous = input.pod.status ?? PodStatus()
    }

    public static func build(_ input: Input) -> PodStatus { PodStatusBuilder(input).build() }

    private var pod: Pod { input.pod }

    private func build() -> PodStatus {
        var status = previous
        status.observedGeneration = pod.metadata.generation
        status.startTime = previous.startTime ?? input.now.wholeSeconds
        status.qosClass = pod.qosClass.rawValue
        status.hostIP = input.hostIPs.first ?? previous.hostIP
        if !input.hostIPs.isEmpty { status.hostIPs = input.hostIPs.map { HostIP(ip: $0) } }
        if !input.podIPs.isEmpty {
            status.podIP = input.podIPs.first
            status.podIPs = input.podIPs.map { PodIP(ip: $0) }
        }
        let initNames = pod.spec.initContainers ?? []
        let initStatuses = initNames.map { containerStatus($0, isInit: true) }
        status.initContainerStatuses = initStatuses.isEmpty ? nil : initStatuses
        // Sorted by name, as every node agent reports them: an order that changes would be a change.
        status.containerStatuses = pod.spec.containers.map { containerStatus($0, isInit: false) }
            .sorted { $0.name < $1.name }
        status.phase = phase(initStatuses, status.containerStatuses ?? []).rawValue
        if let failure = input.failure {
            status.reason = failure.reason
            status.message = failure.message
        }
        addConditions(to: &status)
        return status
    }

    // MARK: Containers

    private func containerStatus(_ container: Container, isInit: Bool) -> ContainerStatus {
        let instances = input.observation.instances(of: container.name)
        let before = (isInit ? previous.initContainerStatuses : previous.containerStatuses)?
            .first { $0.name == container.name }
        var status = ContainerStatus(
            name: container.name, restartCount: before?.restartCount ?? 0, image: container.image ?? "",
            imageID: before?.imageID ?? "")
        guard let newest = instances.first else { return withoutInstance(status, container, before) }
        status.restartCount = Int32(clamping: newest.attempt)
        if !newest.image.isEmpty { status.image = newest.image }
        status.imageID = newest.imageID
        status.containerID = "swiftlet://\(newest.id)"
        let last = instances.dropFirst().first?.terminated.map { ContainerState(terminated: $0) }
        status.lastState = last ?? before?.lastState
        switch newest.state {
        case .created:
            status.state = waiting(container)
        case .running(let startedAt):
            status.state = ContainerState(running: ContainerStateRunning(startedAt: startedAt.wholeSeconds))
            status.ready = !isInit
            status.started = true
        case .exited(let end):
            if input.waiting[container.name] != nil, !input.isFinished {
                status.state = waiting(container)
                status.lastState = ContainerState(terminated: end)
            } else {
                status.state = ContainerState(terminated: end)
            }
            status.ready = isInit && end.exitCode == 0
            status.started = false
        }
        return status
    }

    /// Nothing of the container is on this node: it was never started, or what was is lost (a reboot).
    private func withoutInstance(
        _ status: ContainerStatus, _ container: Container, _ before: ContainerStatus?
    ) -> ContainerStatus {
        var status = status
        status.started = false
        status.lastState = before?.lastState
        if let state = before?.state, state.terminated != nil, input.isFinished {
            status.state = state
            status.containerID = before?.containerID
            return status
        }
        if before?.state?.running != nil || input.isFinished {
            let lost = ContainerState(
                terminated: ContainerStateTerminated(
                    exitCode: 137, reason: "ContainerStatusUnknown",
                    message: "The container could not be located when the pod was terminated",
                    startedAt: before?.state?.running?.startedAt, containerID: before?.containerID))
            if input.isFinished {
                status.state = lost
                return status
            }
            status.lastState = lost
        }
        status.state = waiting(container)
        return status
    }

    private func waiting(_ container: Container) -> ContainerState {
        if let blocker = input.waiting[container.name] {
            return ContainerState(waiting: ContainerStateWaiting(reason: blocker.reason, message: blocker.message))
        }
        let initializing = pod.spec.initContainers?.isEmpty == false
        return ContainerState(
            waiting: ContainerStateWaiting(reason: initializing ? "PodInitializing" : "ContainerCreating"))
    }

    // MARK: Phase

    private func phase(_ initStatuses: [ContainerStatus], _ statuses: [ContainerStatus]) -> PodPhase {
        if input.failure != nil { return .failed }
        // A terminal phase is for ever.
        if previous.phase == PodPhase.succeeded.rawValue { return .succeeded }
        if previous.phase == PodPhase.failed.rawValue { return .failed }
        if input.isFinished {
            let ends = (initStatuses + statuses).map { $0.state?.terminated?.exitCode ?? 137 }
            return ends.allSatisfy { $0 == 0 } ? .succeeded : .failed
        }
        if !initStatuses.allSatisfy({ $0.state?.terminated?.exitCode == 0 || $0.lastState?.terminated?.exitCode == 0 }),
            !statuses.contains(where: { $0.state?.running != nil || $0.lastState?.terminated != nil })
        {
            return .pending
        }
        if statuses.contains(where: { $0.state?.waiting != nil && $0.lastState?.terminated == nil }) { return .pending }
        return .running
    }

    // MARK: Conditions

    private func addConditions(to status: inout PodStatus) {
        let statuses = status.containerStatuses ?? []
        let isTerminal = status.phase == PodPhase.succeeded.rawValue || status.phase == PodPhase.failed.rawValue
        let sandboxReady = input.observation.sandboxID != nil && input.volumesMounted && !isTerminal
        set(.podReadyToStartContainers, sandboxReady, in: &status)

        let incomplete = (status.initContainerStatuses ?? []).filter { !$0.ready }.map(\.name)
        if incomplete.isEmpty || statuses.contains(where: { $0.state?.running != nil || $0.lastState != nil }) {
            set(.initialized, true, reason: isTerminal ? terminalReason(status) : nil, in: &status)
        } else {
            set(
                .initialized, false, reason: "ContainersNotInitialized",
                message: "containers with incomplete status: [\(incomplete.joined(separator: " "))]", in: &status)
        }

        let unready = statuses.filter { !$0.ready }.map(\.name)
        if isTerminal {
            for type in [PodConditionType.ready, .containersReady] {
                set(type, false, reason: terminalReason(status), in: &status)
            }
        } else if unready.isEmpty {
            set(.containersReady, true, in: &status)
            addReady(to: &status)
        } else {
            for type in [PodConditionType.ready, .containersReady] {
                set(
                    type, false, reason: "ContainersNotReady",
                    message: "containers with unready status: [\(unready.joined(separator: " "))]", in: &status)
            }
        }
        set(.podScheduled, true, in: &status)
    }

    /// Ready also needs every readiness gate, a condition that somebody else sets.
    private func addReady(to status: inout PodStatus) {
        let closed = (pod.spec.readinessGates ?? []).map(\.conditionType).filter { type in
            status.conditions?.first { $0.type == type }?.status != ConditionStatus.true.rawValue
        }
        if closed.isEmpty {
            set(.ready, true, in: &status)
        } else {
            set(
                .ready, false, reason: "ReadinessGatesNotReady",
                message: closed.map { "corresponding condition of pod readiness gate \"\($0)\" is not True" }
                    .joined(separator: ", "),
                in: &status)
        }
    }

    private func terminalReason(_ status: PodStatus) -> String {
        status.phase == PodPhase.succeeded.rawValue ? "PodCompleted" : "PodFailed"
    }

    private func set(
        _ type: PodConditionType, _ value: Bool, reason: String? = nil, message: String? = nil,
        in status: inout PodStatus
    ) {
        status.setCondition(
            PodCondition(
                type: type.rawValue, observedGeneration: pod.metadata.generation,
                status: (value ? ConditionStatus.true : .false).rawValue,
                lastTransitionTime: input.now.wholeSeconds, reason: reason, message: message))
    }
}
