import ContainerRuntime
import KubernetesAPI
import LinuxKernel

extension EvictionManager {
    /// The pods that may go, and what they use of what is short.
    func candidates(for signal: EvictionSignal) async -> [EvictionCandidate] {
        var candidates: [EvictionCandidate] = []
        for pod in await agent.evictionCandidates() {
            switch signal.pressure {
            case .disk:
                let usage = await parts.meter.usage(of: pod, maximumAge: EphemeralStorageMeter.maximumAge)
                candidates.append(EvictionCandidate(pod: pod, disk: usage))
            case .memory, .pid: candidates.append(await usage(of: pod))
            }
        }
        return candidates
    }

    private func usage(of pod: Pod) async -> EvictionCandidate {
        let instances = await parts.host.runtime.containers(ofPod: pod.metadata.uid ?? "").filter(\.isRunning)
        let (cgroups, path) = (parts.host.configuration.cgroups, PodPlaces.cgroup(pod))
        return await KernelThreadPool.shared.run {
            var candidate = EvictionCandidate(pod: pod)
            if let usage = try? cgroups.usage(path) {
                candidate.memoryBytes = usage.memoryWorkingSetBytes.map { Int64(clamping: $0) }
                candidate.processes = usage.pidsCurrent.map { Int64(clamping: $0) }
            }
            for instance in instances {
                guard let bytes = (try? cgroups.usage(instance.config.cgroupPath))?.memoryWorkingSetBytes else {
                    continue
                }
                candidate.containerMemoryBytes[instance.metadata.name] = Int64(clamping: bytes)
            }
            return candidate
        }
    }

    /// Watches the limits on what pods store, which no kernel keeps: for pods that have such limits, and never for more than a small
    /// share of the time.
    func watchStorageLimits() async {
        while !Task.isCancelled {
            let start = ContinuousClock.now
            let pods = await agent.evictionCandidates()
            await parts.meter.retain(await agent.podUIDs)
            for pod in pods where Eviction.hasStorageLimit(pod) && !Task.isCancelled {
                let usage = await parts.meter.usage(of: pod)
                guard let eviction = Eviction.forStorage(of: pod, usage) else { continue }
                _ = await agent.evict(pod.metadata.uid ?? "", eviction, graceSeconds: 1)
            }
            let work = start.duration(to: .now)
            try? await clock.sleep(for: max(Self.interval, work * EphemeralStorageMeter.restPerWork), tolerance: nil)
        }
    }
}
