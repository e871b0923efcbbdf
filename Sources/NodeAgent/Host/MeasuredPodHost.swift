public import KubernetesAPI
public import Probes

/// A pod host that takes the time of what is asked of another one.
public struct MeasuredPodHost: PodHost {
    private let host: any PodHost
    private let durations: AgentDurations

    public init(_ host: any PodHost, _ durations: AgentDurations) {
        self.host = host
        self.durations = durations
    }

    private func measure<Value>(
        _ operation: AgentDurations.Operation, _ body: () async throws(PodHostError) -> Value
    ) async throws(PodHostError) -> Value {
        let start = ContinuousClock.now
        do throws(PodHostError) {
            let value = try await body()
            durations.add(operation, start.duration(to: .now))
            return value
        } catch {
            durations.add(operation, start.duration(to: .now), failed: true)
            throw error
        }
    }

    private func measure(_ operation: AgentDurations.Operation, _ body: () async -> Void) async {
        let start = ContinuousClock.now
        await body()
        durations.add(operation, start.duration(to: .now))
    }

    // MARK: Measured

    public func createSandbox(for pod: Pod, attempt: UInt32) async throws(PodHostError) {
        try await measure(.runPodSandbox) { () async throws(PodHostError) in
            try await host.createSandbox(for: pod, attempt: attempt)
        }
    }

    public func release(_ pod: Pod) async throws(PodHostError) {
        try await measure(.stopPodSandbox) { () async throws(PodHostError) in try await host.release(pod) }
    }

    public func forget(_ pod: Pod) async throws(PodHostError) {
        try await measure(.removePodSandbox) { () async throws(PodHostError) in try await host.forget(pod) }
    }

    public func createContainer(
        _ container: Container, of pod: Pod, attempt: UInt32
    ) async throws(PodHostError) -> String {
        try await measure(.createContainer) { () async throws(PodHostError) in
            try await host.createContainer(container, of: pod, attempt: attempt)
        }
    }

    public func startContainer(_ id: String) async throws(PodHostError) {
        try await measure(.startContainer) { () async throws(PodHostError) in try await host.startContainer(id) }
    }

    public func stopContainer(_ id: String, gracePeriod: Duration) async {
        await measure(.stopContainer) { await host.stopContainer(id, gracePeriod: gracePeriod) }
    }

    public func removeContainer(_ id: String) async {
        await measure(.removeContainer) { await host.removeContainer(id) }
    }

    public func resize(_ pod: Pod, _ observation: PodObservation) async throws(PodHostError) {
        try await measure(.updateContainerResources) { () async throws(PodHostError) in
            try await host.resize(pod, observation)
        }
    }

    public func execute(
        _ command: [String], in containerID: String, timeout: Duration?
    ) async -> ProbeExecutionResult {
        let start = ContinuousClock.now
        let result = await host.execute(command, in: containerID, timeout: timeout)
        // A command that fails has been run all the same.
        let failed =
            switch result {
            case .exited: false
            case .timedOut, .notRun: true
            }
        durations.add(.execSync, start.duration(to: .now), failed: failed)
        return result
    }

    // MARK: Passed on

    public func recordPostStart(_ state: PostStartState?, of id: String) async {
        await host.recordPostStart(state, of: id)
    }

    public var changes: AsyncStream<String> { host.changes }

    public func knows(_ uid: String) async -> Bool { await host.knows(uid) }

    public func allocations(of uid: String) async -> [String: ResourceRequirements] {
        await host.allocations(of: uid)
    }

    public func observe(_ uid: String) async -> PodObservation { await host.observe(uid) }

    public func attemptsUsed(by pod: Pod) async -> [String: UInt32] { await host.attemptsUsed(by: pod) }

    public func remnants() async -> [Pod] { await host.remnants() }

    public func discardUnused() async { await host.discardUnused() }

    public func remember(_ failure: PodRejection, of pod: Pod) async { await host.remember(failure, of: pod) }

    public func remembered(of uid: String) async -> PodRejection? { await host.remembered(of: uid) }

    public func mountVolumes(of pod: Pod) async throws(PodHostError) { try await host.mountVolumes(of: pod) }

    public func hasVolumeNews(of pod: Pod) async -> Bool { await host.hasVolumeNews(of: pod) }

    public func refreshVolumes(of pod: Pod) async throws(PodHostError) -> Duration? {
        try await host.refreshVolumes(of: pod)
    }

    public func findImage(of container: Container, in pod: Pod) async throws(PodHostError) -> ImageNeed {
        try await host.findImage(of: container, in: pod)
    }

    public func pullImage(of container: Container, in pod: Pod) async throws(PodHostError) {
        try await host.pullImage(of: container, in: pod)
    }

    public func pendingImageVolumes(of pod: Pod) async -> [ImageVolumeSource] {
        await host.pendingImageVolumes(of: pod)
    }

    public func allocate(_ pod: Pod) async { await host.allocate(pod) }
}
