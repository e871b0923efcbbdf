import KubernetesAPI
import KubernetesClient
import Logging
import Probes

extension PodWorker {
    /// Creates and starts one attempt of a container. What prevents it becomes a blocker, an event and the waiting reason.
    func start(_ name: String, attempt: UInt32) async {
        // The volumes of the container before it in this plan could not be mounted: they are the same.
        if let until = blockers[name]?.until, until > now { return }
        guard let container = pod.spec.container(named: name), await isAllowed(name), isSupported(name),
            await prepareImageVolumes(for: container), await mountVolumes(), await prepareImage(of: container)
        else { return }
        // Counted from the first restart on: the first start has no delay before the next.
        if attempt > firstAttempts[name] ?? 0 || exitSeenID[name] != nil {
            backOff.recordTry(
                PodReconciler.backOffKey(pod, container), failedAt: exitSeenAt[name], now: now)
        }
        let id: String
        do throws(PodHostError) {
            id = try await context.host.createContainer(container, of: pod, attempt: attempt)
        } catch {
            record(.warning, "Failed", "Error: \(error)", container: name)
            block(name, reason: error.reason, message: error.message, retryAfter: .seconds(10))
            return
        }
        record(.normal, "Created", "Container created: \(name)", container: name)
        guard stage == .syncing else {
            // Asked to go while it was being made: nothing of it has run.
            await context.host.stopContainer(id, gracePeriod: .zero)
            await context.host.removeContainer(id)
            return
        }
        startedHere[id] = now
        do throws(PodHostError) { try await context.host.startContainer(id) } catch {
            record(.warning, "Failed", "Error: \(error)", container: name)
            logger.warning("container not started", metadata: ["container": "\(name)", "error": "\(error)"])
            block(name, reason: error.reason, message: error.message, retryAfter: .seconds(10))
            return
        }
        record(.normal, "Started", "Container started: \(name)", container: name)
        blockers[name] = nil
        toldWaiting[name] = nil
        await runPostStart(of: container, id)
    }

    /// The node's policy may have become tighter since the pod was taken: what runs stays, what starts is held to it.
    /// Ephemeral containers come after the pod was taken, and are looked at only here.
    private func isAllowed(_ name: String) async -> Bool {
        guard let verdict = await context.policy(pod, name) else { return true }
        if blockers[name]?.message != verdict.message {
            record(.warning, "NodePolicy", verdict.message, container: name)
            logger.warning(
                "container was refused",
                metadata: [
                    "container": "\(name)", "namespace": "\(pod.metadata.namespace ?? "")",
                    "source": "\(verdict.source.rawValue)", "field": "\(verdict.fields)", "reason": "NodePolicy",
                    "message": "\(verdict.message)",
                ])
        }
        block(name, reason: "NodePolicy", message: verdict.message, retryAfter: Self.policyRetryInterval)
        return false
    }

    /// How soon a container that the policy denies is tried again: the policy may be changed meanwhile.
    private static let policyRetryInterval = Duration.seconds(10)

    /// Ephemeral containers come after the pod was taken: what they ask for is looked at here.
    private func isSupported(_ name: String) -> Bool {
        guard let ephemeral = pod.spec.ephemeralContainers?.first(where: { $0.name == name }) else { return true }
        let unsupported = UnsupportedFields.find(in: ephemeral, of: pod)
        guard !unsupported.isEmpty else { return true }
        let message = "this node does not support \(unsupported.joined(separator: ", "))"
        record(.warning, "Failed", "Error: \(message)", container: name)
        blockers[name] = PodReconciler.Blocker(reason: "CreateContainerConfigError", message: message, until: nil)
        return false
    }

    /// The container counts as started once its hook has ended; when that fails, the container goes.
    func runPostStart(of container: Container, _ id: String) async {
        guard let hook = container.lifecycle?.postStart else { return }
        let observation = await observe()
        let podIP = observation.podIPs.first
        // The hook may take long, and holds up the pass that would tell of the start.
        await report(observation, waiting: toldWaiting)
        let outcome = await untilInterrupted(where: { $0.stage != .syncing }) {
            await self.context.hooks.run(hook, container: container, containerID: id, podIP: podIP, timeout: nil)
        }
        if case .fallback(let message)? = outcome {
            record(.warning, "LifecycleHTTPFallback", message, container: container.name)
        }
        guard let outcome, stage == .syncing, !Task.isCancelled else { return }
        guard case .failure(let message) = outcome else { return await context.host.recordPostStart(nil, of: id) }
        await context.host.recordPostStart(.failed, of: id)
        // What the hook wrote may hold secrets: the event says only that it failed.
        record(.warning, "FailedPostStartHook", "PostStartHook failed", container: container.name)
        logger.warning("postStart hook failed", metadata: ["container": "\(container.name)", "error": "\(message)"])
        await kill(
            id, container.name, message: KillReason.postStartFailed.eventMessage(container.name, in: pod),
            graceSeconds: nil)
        block(
            container.name, reason: "PostStartHookError", message: "PostStartHook failed: \(message)",
            retryAfter: .seconds(1))
    }

    /// Containers that wait for volumes are tried at once when what was missing may have come.
    func hearOfVolumes() async {
        guard let problem = volumesProblem, await context.host.hasVolumeNews(of: pod) else { return }
        volumesProblem = nil
        blockers = blockers.filter { $0.value.message != problem }
    }

    private func mountVolumes() async -> Bool {
        let (host, pod) = (context.host, pod)
        // A pod that is to go waits for nothing that somebody else may never provide.
        let outcome = await untilInterrupted(where: { $0.stage != .syncing }) {
            do throws(PodHostError) {
                try await host.mountVolumes(of: pod)
                return Result<Void, PodHostError>.success(())
            } catch { return .failure(error) }
        }
        guard let outcome, stage == .syncing else { return false }
        do throws(PodHostError) {
            try outcome.get()
            volumesRetry.reset()
            volumesProblem = nil
            return true
        } catch {
            record(.warning, error.reason, error.message)
            let delay = volumesRetry.failed(random: 0.5)
            volumesProblem = error.message
            for container in pod.spec.containers + (pod.spec.initContainers ?? []) {
                block(container.name, reason: pod.spec.defaultWaitingReason, message: error.message, retryAfter: delay)
            }
            return false
        }
    }
}
