import KubernetesAPI
import KubernetesClient
import Logging
import Probes

extension PodWorker {
    /// Stops all containers, then gives back everything but their records. Gives the moment of the next try when something of
    /// the pod is still there.
    func terminate() async -> Duration? {
        await context.probes.prober.stopLivenessAndStartup(podUID: uid)
        if pod.metadata.deletionTimestamp != nil || isRemoved { await report(await observe()) }
        await stopContainers()
        // The agent itself is stopping: the next one goes on from here.
        if Task.isCancelled { return nil }
        await context.probes.prober.forget(podUID: uid)
        do throws(PodHostError) { try await context.host.release(pod) } catch {
            logger.warning("pod not fully torn down", metadata: ["error": "\(error)"])
            record(.warning, error.reason, error.message)
            return now + releaseRetry.failed(random: 0.5)
        }
        await context.allocations.remove(uid)
        await report(await observe(), isFinished: true)
        stage = .terminated
        changed.signal()
        return nil
    }

    /// Nothing of the pod is left but its records: the API loses it if it asked for that, and then the node does.
    func settle() async -> Duration? {
        guard isRemoved else {
            if pod.metadata.deletionTimestamp != nil { await context.statuses.deletePod(pod) }
            return nil
        }
        await context.timelines.end(uid)
        do throws(PodHostError) { try await context.host.forget(pod) } catch {
            logger.warning("pod's remains not removed", metadata: ["error": "\(error)"])
            return now + releaseRetry.failed(random: 0.5)
        }
        await context.statuses.forget(uid: uid)
        stage = .finished
        changed.signal()
        return nil
    }

    private func stopContainers() async {
        let observation = await observe()
        let alive = observation.containers.filter { $0.terminated == nil }
        let order = TerminationOrder(pod)
        let names = Set(alive.map(\.name))
        ended = []
        await withDiscardingTaskGroup { group in
            for instance in alive {
                let (id, name) = (instance.id, instance.name)
                guard instance.isRunning else {
                    group.addTask { await self.removeUnstarted(instance) }
                    continue
                }
                // Told already, for a reason of its own: its hook, if it has one, runs, and the pod's grace holds for it as well.
                guard !stopping.contains(id) else {
                    group.addTask { await self.waitForStop(of: id) }
                    continue
                }
                let stop = ContainerStop(
                    id: id, name: name, message: "Stopping container \(name)",
                    predecessors: order.predecessors(of: name).intersection(names))
                group.addTask { await self.stop(stop) }
            }
        }
    }

    /// It never ran, so it has no exit that could be told.
    private func removeUnstarted(_ instance: ContainerObservation) async {
        await context.host.stopContainer(instance.id, gracePeriod: .zero)
        guard !Task.isCancelled else { return }
        await context.host.removeContainer(instance.id)
        ended.insert(instance.name)
        changed.signal()
    }

    /// Ends one instance while its pod goes on, and waits for that as long as it does: a pod that ends meanwhile has its other
    /// containers told at once, and joins this stop with theirs.
    ///
    /// - Parameter graceSeconds: nil for the pod's; 0 for at once, without its hook.
    func kill(_ id: String, _ name: String, message: String, graceSeconds: Int64?) async {
        guard graceSeconds == 0 else {
            let deadline = now + TerminationGrace.pod(pod, asked: graceSeconds)
            stopping.insert(id)
            stopRequest.yield(ContainerStop(id: id, name: name, message: message, deadline: deadline))
            return await waitUntil({ $0.stage != .syncing || !$0.stopping.contains(id) }, deadline: nil)
        }
        record(.normal, "Killing", message, container: name)
        await context.host.stopContainer(id, gracePeriod: .zero)
    }

    /// Carries out the stops of single containers, until the worker ends.
    func carryOutStops() async {
        await withDiscardingTaskGroup { group in
            for await stop in stopRequests {
                group.addTask { await self.carryOut(stop) }
            }
        }
    }

    private func carryOut(_ request: ContainerStop) async {
        await stop(request)
        stopping.remove(request.id)
        changed.signal()
    }

    private func waitForStop(of id: String) async {
        while stopping.contains(id), !Task.isCancelled { await changed.wait(after: changed.generation) }
    }

    /// Ends one container: preStop hook, its turn, stop signal, and the kill when its grace is over.
    private func stop(_ stop: ContainerStop) async {
        let (id, name, deadline) = (stop.id, stop.name, stop.deadline)
        record(.normal, "Killing", stop.message, container: name)
        await runPreStop(id, name, deadline)
        while !stop.predecessors.isSubset(of: ended), remaining(deadline) > .zero, !Task.isCancelled {
            let generation = changed.generation
            if stop.predecessors.isSubset(of: ended) { break }
            await changed.wait(after: generation, atMost: remaining(deadline), clock: context.clock)
        }
        guard !Task.isCancelled else { return }
        await signalAndKill(id, deadline)
        ended.insert(name)
        changed.signal()
    }

    private func remaining(_ deadline: Duration?) -> Duration {
        let end = [deadline, graceDeadline].compactMap(\.self).min() ?? now
        return max(.zero, end - now)
    }

    private func runPreStop(_ id: String, _ name: String, _ deadline: Duration?) async {
        guard let container = pod.spec.container(named: name), let hook = container.lifecycle?.preStop,
            remaining(deadline) > .zero, stoppedHooks.insert(id).inserted
        else { return }
        let observation = await context.host.observe(uid)
        guard observation.containers.contains(where: { $0.id == id && $0.isRunning }) else { return }
        let outcome = await untilInterrupted(where: { $0.remaining(deadline) <= .zero }, deadline: deadline) {
            await self.context.hooks.run(
                hook, container: container, containerID: id, podIP: observation.podIPs.first, timeout: nil)
        }
        if case .fallback(let message)? = outcome {
            record(.warning, "LifecycleHTTPFallback", message, container: name)
        }
        guard case .failure(let message)? = outcome, !Task.isCancelled else { return }
        record(.warning, "FailedPreStopHook", "PreStopHook failed", container: name)
        logger.warning("preStop hook failed", metadata: ["container": "\(name)", "error": "\(message)"])
    }

    /// Each time the grace shrinks, the stop under way makes room for one with what is left.
    private func signalAndKill(_ id: String, _ deadline: Duration?) async {
        let host = context.host
        var hasEnded = false
        while !hasEnded, !Task.isCancelled {
            let known = graceDeadline
            let window = TerminationGrace.stopWindow(remaining: remaining(deadline))
            hasEnded =
                await untilInterrupted(where: { $0.graceDeadline != known }) {
                    await host.stopContainer(id, gracePeriod: window)
                    return true
                } ?? false
        }
    }

    /// Runs `body` until it ends, the condition holds or the deadline has come; then it is cancelled and nil.
    func untilInterrupted<Value: Sendable>(
        where condition: @Sendable @escaping (isolated PodWorker) -> Bool, deadline: Duration? = nil,
        _ body: @Sendable @escaping () async -> Value
    ) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await body() }
            group.addTask {
                await self.waitUntil(condition, deadline: deadline)
                return nil
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? nil
        }
    }

    private func waitUntil(_ condition: (isolated PodWorker) -> Bool, deadline: Duration?) async {
        while !Task.isCancelled {
            let generation = changed.generation
            if condition(self) { return }
            let limit = stage == .syncing && deadline == nil ? .zero : remaining(deadline)
            // Once that is over only a change can make the condition true.
            await changed.wait(after: generation, atMost: limit > .zero ? limit : nil, clock: context.clock)
        }
    }
}

extension PodReconciler.Action {
    /// The pod has nothing left to do: what still runs of it ends together, in order and within one grace period.
    var isOfTheEnd: Bool {
        guard case .kill(_, _, let reason, _) = self else { return false }
        return reason == .onlySidecarsLeft || reason == .initializationFailed
    }
}
