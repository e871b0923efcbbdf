import KubernetesAPI
import KubernetesClient
import Logging

/// Changing a pod's resources while it runs. The pod the worker has is the one the node has allocated; what its source
/// asks for beyond that is in ``PodResize/desired`` until it is granted.
extension PodWorker {
    /// A newer version of the pod takes over everything but the resources of its containers.
    func take(_ spec: PodSpec) {
        let (allocated, ofPod) = (pod.spec.resourcesByContainer, pod.spec.resources)
        resize.desired = spec.resourcesByContainer
        resize.desiredOfPod = spec.resources
        if resize.desired != allocated { resize.retryAt = nil }
        pod.spec = spec
        guard !pod.isStatic else { return }
        pod.spec.setResources(allocated)
        pod.spec.resources = ofPod
    }

    /// Before the first pass: what an agent before this one has allocated, from the records of the containers, or from the status that it wrote.
    func restoreAllocation() async {
        if failure != nil || pod.isTerminal { return }
        if pod.isStatic { return await context.allocations.add(pod) }
        let allocations = await context.host.allocations(of: uid)
        let isPending = pod.status?.isTrue(.podResizePending) == true
        let statuses = (pod.status?.containerStatuses ?? []) + (pod.status?.initContainerStatuses ?? [])
        for name in resize.desired.keys {
            if let known = allocations[name] {
                pod.spec.setResources(known, of: name)
            } else if isPending, let status = statuses.first(where: { $0.name == name }), let told = status.resources {
                let requests = status.allocatedResources ?? told.requests
                pod.spec.setResources(ResourceRequirements(limits: told.limits, requests: requests), of: name)
            }
        }
        resize.isInProgress = pod.status?.isTrue(.podResizeInProgress) == true
        if isPending, let told = pod.status?.condition(.podResizePending),
            resize.desired != pod.spec.resourcesByContainer
        {
            resize.pending = PodResize.Pending(reason: told.reason ?? "", message: told.message ?? "")
        }
        await context.allocations.add(pod)
    }

    /// Asks for what is desired, and carries out what was granted.
    ///
    /// - Returns: whether anything of the pod has changed.
    func resize(_ observation: PodObservation) async -> Bool {
        let hasAsked = await askForResources(observation)
        let current = hasAsked ? await observe() : observation
        return await carryOutResize(current) || hasAsked
    }

    private func askForResources(_ observation: PodObservation) async -> Bool {
        var wanted = pod
        wanted.spec.setResources(resize.desired)
        wanted.spec.resources = resize.desiredOfPod
        guard wanted.spec != pod.spec, !pod.isStatic else {
            guard resize.pending != nil else { return false }
            resize.pending = nil
            resize.tries = 0
            await context.allocations.withdraw(uid)
            return false
        }
        let verdict = await context.allocations.resize(to: wanted)
        if let news = resize.take(verdict) { record(.warning, news.reason, news.message) }
        guard verdict == .granted else {
            if case .deferred = verdict, resize.retryAt.map({ $0 <= now }) ?? true { resize.deferRetry(now: now) }
            return false
        }
        // A version that came while the node was asked is looked at in the next pass.
        pod.spec.setResources(wanted.spec.resourcesByContainer)
        resize.retryAt = nil
        resize.tries = 0
        resize.isInProgress = true
        resize.failure = nil
        await context.host.allocate(pod)
        record(.normal, "ResizeStarted", "Pod resize started: " + describe(observation))
        logger.info("pod is resized")
        return true
    }

    private func carryOutResize(_ observation: PodObservation) async -> Bool {
        let unfinished = observation.containers.contains { $0.terminated == nil && $0.resize != nil }
        guard unfinished else {
            guard resize.isInProgress else { return false }
            resize.isInProgress = false
            resize.failure = nil
            if resize.pending == nil { resize.retryAt = nil }
            record(.normal, "ResizeCompleted", "Pod resize completed")
            return false
        }
        resize.isInProgress = true
        guard !ResizePlanner.live(pod, observation).isEmpty, resize.failure == nil || resize.retryAt ?? .zero <= now
        else { return false }
        do throws(PodHostError) {
            try await context.host.resize(pod, observation)
            resize.failure = nil
            return true
        } catch {
            if resize.failure != error.message { record(.warning, "ResizeError", "Pod resize error: \(error)") }
            resize.failure = error.message
            resize.retryAt = now + .seconds(10)
            return false
        }
    }

    /// The amounts that change, for people.
    private func describe(_ observation: PodObservation) -> String {
        let containers = (pod.spec.initContainers ?? []) + pod.spec.containers
        return containers.compactMap { container in
            guard let applied = observation.newest(container.name)?.appliedResources else { return nil }
            let new = container.resources ?? ResourceRequirements()
            let names = ResizePlanner.differences(applied, new).sorted()
            guard !names.isEmpty else { return nil }
            let amounts = names.map { name in
                func text(_ own: ResourceRequirements) -> String {
                    "\(own.requests?[name]?.description ?? "-")/\(own.limits?[name]?.description ?? "-")"
                }
                return "\(name) \(text(applied)) to \(text(new))"
            }
            return "\(container.name): " + amounts.joined(separator: ", ")
        }.joined(separator: "; ")
    }
}
