import KubernetesAPI
import KubernetesClient
import Logging

extension NodeAgent {
    /// Makes room for a pod that the node cannot do without, by ending others.
    ///
    /// - Parameters:
    ///   - rejection: why there is no room.
    ///   - others: the pods taken before.
    /// - Returns: the pods to wait for, or why the pod is not taken all the same.
    func makeRoom(
        for pod: Pod, _ rejection: PodRejection, beside others: [Pod]
    ) async -> Result<[PodWorker], PodRejection> {
        var mayGo: [Pod] = []
        for other in others {
            guard let worker = workers[other.metadata.uid ?? ""], await worker.isEvictable else { continue }
            mayGo.append(other)
        }
        guard let victims = CriticalPreemption.victims(for: pod, lacking: rejection.shortages, among: mayGo) else {
            let lacking = rejection.shortages.map { "(res: \($0.resource), q: \($0.amount)), " }.joined()
            return .failure(
                PodRejection(
                    reason: "UnexpectedAdmissionError",
                    message:
                        "Pod was rejected: Unexpected error while attempting to recover from admission failure: "
                        + "preemption: error finding a set of pods to preempt: no set of running pods found to reclaim "
                        + "resources: [\(lacking)]"))
        }
        let leaving = Set(victims.compactMap(\.metadata.uid))
        // Nobody goes for a pod that would not be taken even then.
        let remaining = others.filter { !leaving.contains($0.metadata.uid ?? "") }
        if let obstacle = await context.admission(pod, remaining) { return .failure(obstacle) }
        var ending: [PodWorker] = []
        for victim in victims {
            guard let worker = workers[victim.metadata.uid ?? ""] else { continue }
            ending.append(worker)
            guard await worker.end(with: .preempted, reason: "Preempting", graceSeconds: nil) else { continue }
            preemptions[rejection.shortages.first?.resource ?? "", default: 0] += 1
        }
        return .success(ending)
    }

    /// How many pods this process has ended for critical ones, by what was lacking: `kubelet_preemptions`.
    public func preemptionCounts() -> [String: UInt64] { preemptions }
}

extension PodRejection {
    fileprivate static let preempted = PodRejection(
        reason: "Preempting", message: "Preempted in order to admit critical pod", isDisruption: true,
        conditionMessage: "Pod was preempted by Kubelet to accommodate a critical pod.")
}

extension PodWorker {
    /// Ends a pod that had a right to run. What was decided outlives this agent: the next one would start the pod again otherwise.
    ///
    /// - Parameters:
    ///   - reason: of the event.
    ///   - graceSeconds: nil for the pod's own.
    /// - Returns: false when it is ending already.
    func end(
        with failure: PodRejection, reason: String, annotations: [String: String] = [:], graceSeconds: Int64?
    ) async -> Bool {
        guard isEvictable else { return false }
        await context.host.remember(failure, of: pod)
        guard isEvictable else { return false }
        self.failure = failure
        context.events.record(
            reference, type: .warning, reason: reason, message: failure.message, annotations: annotations)
        logger.warning("pod is ended by the node", metadata: ["reason": "\(reason)", "message": "\(failure.message)"])
        beginTermination(graceSeconds: graceSeconds)
        poke()
        return true
    }

    /// Until nothing of the pod runs or is mounted, but not for ever: a process that the kernel does not let go keeps no other pod
    /// from starting.
    func waitForEnd() async {
        while stage == .syncing || stage == .terminating, !Task.isCancelled {
            let (generation, limit) = (changed.generation, (graceDeadline ?? now) + Self.endLimit)
            if limit <= now { return }
            await changed.wait(after: generation, atMost: limit - now, clock: context.clock)
        }
    }

    /// What an end may take beyond its grace.
    private static let endLimit = Duration.seconds(10)
}
