public import KubernetesAPI
import KubernetesClient
public import Logging

/// Brings what the node sees of its pods to the API: at once, only when it changed, and until it has arrived.
///
/// Also the one place that deletes pods from the API, since that may only happen after their last status is there.
public actor PodStatusManager {
    private var machine = PodStatusStateMachine()
    private let client: any PodStatusWriting
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let uptime: MonotonicTime
    private let random: @Sendable () -> Double
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    /// When the earliest sleeping timer ends.
    private var timerDue: Duration?
    /// The last failure logged per pod: a repetition is no news.
    private var logged: [String: APIError.Code] = [:]

    /// - Parameters:
    ///   - clock: measures the waits between attempts.
    ///   - random: uniform in 0..<1, spreads the attempts of many pods.
    public init(
        client: any PodStatusWriting, logger: Logger, clock: any Clock<Duration> = ContinuousClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.client = client
        self.logger = logger
        self.clock = clock
        self.random = random
        uptime = MonotonicTime(clock)
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Writes until cancelled. To be called once.
    public func run() async {
        await withDiscardingTaskGroup { group in
            if let reachability = client.reachability { group.addTask { await self.follow(reachability) } }
            startCalls(in: &group)
            for await _ in wakes {
                if Task.isCancelled { break }
                startCalls(in: &group)
            }
            group.cancelAll()
        }
    }

    private func follow(_ reachability: Reachability) async {
        var generation = reachability.generation
        while !Task.isCancelled {
            await reachability.waitForReturn(after: generation)
            generation = reachability.generation
            machine.serverReturned(now: uptime.elapsed)
            wake.yield()
        }
    }

    // MARK: What the node says

    /// Reports a status; written at once if the API holds something else.
    public func set(_ status: PodStatus, for pod: Pod) {
        machine.set(status, for: pod)
        wake.yield()
    }

    /// Tells of a pod as its source has it: where its status goes, and what the API holds of it.
    public func observe(_ pod: Pod) {
        machine.observe(pod, now: uptime.elapsed)
        wake.yield()
    }

    /// The pod is no longer of interest; what was not written yet is dropped.
    public func forget(uid: String) {
        machine.forget(uid: uid)
        logged[uid] = nil
    }

    /// Completes the deletion of a pod whose containers are gone: after its last status has arrived, with grace period
    /// 0 and its UID as precondition, tried until it is gone. A pod nobody asked to delete is left alone.
    public func deletePod(_ pod: Pod) {
        if !machine.delete(pod) {
            logger.debug("pod not deleted, no deletion was asked for", metadata: ["pod": "\(pod.key)"])
        }
        wake.yield()
    }

    /// The mirror a static pod has in the API; without one its status stays on the node.
    public func setMirror(_ mirror: Pod?, forStaticUID uid: String) {
        machine.setMirror(mirror, forStaticUID: uid, now: uptime.elapsed)
        wake.yield()
    }

    /// The newest status reported for a pod, acknowledged or not.
    public func status(uid: String) -> PodStatus? { machine.status(uid: uid) }

    // MARK: Calls

    private func startCalls(in group: inout DiscardingTaskGroup) {
        let now = uptime.elapsed
        for action in machine.next(now: now) {
            group.addTask {
                let generation = self.client.reachability?.generation
                let outcome = await self.perform(action)
                await self.finish(
                    action, outcome, serverReturned: self.client.reachability?.generation != generation)
            }
        }
        guard let due = machine.nextDue, timerDue.map({ due < $0 }) ?? true else { return }
        timerDue = due
        let clock = clock
        group.addTask {
            try? await clock.sleep(for: due - now, tolerance: nil)
            await self.timerEnded(due)
        }
    }

    private func timerEnded(_ due: Duration) {
        if timerDue == due { timerDue = nil }
        wake.yield()
    }

    private nonisolated func perform(_ action: PodStatusStateMachine.Action) async -> PodStatusStateMachine.Outcome {
        let (namespace, name) = (action.target.namespace, action.target.name)
        do throws(APIError) {
            switch action.call {
            case .fetch:
                return .object(try await client.pod(namespace: namespace, name: name))
            case .patch(let body):
                return .object(try await client.patchPodStatus(namespace: namespace, name: name, body: body))
            case .delete:
                try await client.deletePod(
                    namespace: namespace, name: name,
                    options: DeleteOptions(
                        gracePeriodSeconds: 0, preconditions: Preconditions(uid: action.target.uid)))
                return .deleted
            }
        } catch {
            return .failed(error)
        }
    }

    /// - Parameter serverReturned: since the call was begun.
    private func finish(
        _ action: PodStatusStateMachine.Action, _ outcome: PodStatusStateMachine.Outcome, serverReturned: Bool
    ) {
        log(action, outcome)
        machine.completed(action, outcome, now: uptime.elapsed, random: random())
        if serverReturned { machine.serverReturned(now: uptime.elapsed) }
        wake.yield()
    }

    private func log(_ action: PodStatusStateMachine.Action, _ outcome: PodStatusStateMachine.Outcome) {
        switch outcome {
        case .object, .deleted:
            logged[action.uid] = nil
        case .failed(let error):
            guard !error.isNotFound, !error.isConflict, !error.isCancelled,
                logged.updateValue(error.code, forKey: action.uid) != error.code
            else { return }
            logger.warning(
                "pod status not written, trying again",
                metadata: [
                    "pod": "\(action.target.namespace)/\(action.target.name)", "uid": "\(action.uid)",
                    "error": "\(error)",
                ])
        }
    }
}
