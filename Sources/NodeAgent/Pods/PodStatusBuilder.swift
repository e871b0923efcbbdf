public import KubernetesAPI
public import Probes

/// Builds the status that the API shall show from what is observed. Pure.
public struct PodStatusBuilder: Sendable {
    public struct Input: Sendable {
        /// With the status last reported: what is gone from the node is known from there.
        public var pod: Pod
        public var observation: PodObservation
        public var probes: ProbeVerdicts
        /// Containers that wait, from the reconciler's plan.
        public var waiting: [String: PodReconciler.Blocker]
        /// From the reconciler's plan.
        public var restartingAll: Bool
        /// The pod has ended, or its containers were stopped for good: terminal phases may be reported.
        public var isFinished: Bool
        /// Set when the pod was refused, or ended for a reason of the node's.
        public var failure: PodRejection?
        public var resize: PodResize
        /// Overruled by the observation's.
        public var podIPs: [String]
        public var hostIPs: [String]
        public var volumesMounted: Bool
        public var now: Timestamp

        public init(
            pod: Pod, observation: PodObservation, probes: ProbeVerdicts = ProbeVerdicts(),
            waiting: [String: PodReconciler.Blocker] = [:], restartingAll: Bool = false, isFinished: Bool = false,
            failure: PodRejection? = nil, resize: PodResize = PodResize(), podIPs: [String] = [],
            hostIPs: [String] = [], volumesMounted: Bool = true, now: Timestamp
        ) {
            self.pod = pod
            self.observation = observation
            self.probes = probes
            self.waiting = waiting
            self.restartingAll = restartingAll
            self.isFinished = isFinished
            self.failure = failure
            self.resize = resize
            self.podIPs = podIPs
            self.hostIPs = hostIPs
            self.volumesMounted = volumesMounted
            self.now = now
        }
    }

    let input: Input
    let previous: PodStatus
    let decision: RestartDecision

    private init(_ input: Input) {
        self.input = input
        previous = input.pod.status ?? PodStatus()
        decision = RestartDecision(input.pod)
    }

    public static func build(_ input: Input) -> PodStatus { PodStatusBuilder(input).build() }

    var pod: Pod { input.pod }
    var observation: PodObservation { input.observation }

    private func build() -> PodStatus {
        var status = previous
        status.observedGeneration = pod.metadata.generation
        status.startTime = previous.startTime ?? input.now.wholeSeconds
        status.qosClass = pod.qosClass.rawValue
        status.hostIP = input.hostIPs.first ?? previous.hostIP
        if !input.hostIPs.isEmpty { status.hostIPs = input.hostIPs.map { HostIP(ip: $0) } }
        addAddresses(to: &status)
        addContainers(to: &status)
        setPhase(of: &status)
        addConditions(to: &status)
        TerminationMessages.cap(in: &status, of: pod)
        return status
    }

    /// The first address of the node's own family and the first of the other one. Kept when the sandbox is gone; and
    /// with the host's network never changed once set.
    private func addAddresses(to status: inout PodStatus) {
        func isIPv6(_ address: String) -> Bool { address.utf8.contains(UInt8(ascii: ":")) }
        let found = observation.podIPs.isEmpty ? input.podIPs : observation.podIPs
        let prefersIPv6 = input.hostIPs.first.map(isIPv6) ?? false
        var addresses = [prefersIPv6, !prefersIPv6].compactMap { family in found.first { isIPv6($0) == family } }
        if pod.spec.hostNetwork == true, let kept = previous.podIPs?.map(\.ip), let first = kept.first {
            let second = addresses.first { isIPv6($0) != isIPv6(first) }
            addresses = kept.count > 1 ? kept : [first] + (second.map { [$0] } ?? [])
        }
        guard let first = addresses.first else { return }
        status.podIP = first
        status.podIPs = addresses.map { PodIP(ip: $0) }
    }

    private func addContainers(to status: inout PodStatus) {
        let initStatuses = (pod.spec.initContainers ?? []).map {
            containerStatus($0, $0.isSidecar ? .sidecar : .initial)
        }
        status.initContainerStatuses = initStatuses.isEmpty ? nil : initStatuses
        // Sorted by name, as every node agent reports them: an order that changes would be a change.
        status.containerStatuses = pod.spec.containers.map { containerStatus($0, .app) }.sorted { $0.name < $1.name }
        let ephemeral = (pod.spec.ephemeralContainers ?? []).map { containerStatus($0.container, .ephemeral) }
        status.ephemeralContainerStatuses = ephemeral.isEmpty ? nil : ephemeral.sorted { $0.name < $1.name }
    }

    private func setPhase(of status: inout PodStatus) {
        let phase = phase(of: status)
        if input.isFinished { endContainers(of: &status) }
        status.phase = phase.rawValue
        if pod.isTerminal { return }
        if let failure = input.failure {
            status.reason = failure.reason
            status.message = failure.message
        } else if status.phase != previous.phase {
            // They told of the phase that was.
            status.reason = nil
            status.message = nil
        }
    }
}

extension PodSpec {
    /// Why a container waits that nothing special holds up.
    var defaultWaitingReason: String {
        initContainers?.isEmpty == false ? "PodInitializing" : "ContainerCreating"
    }
}
