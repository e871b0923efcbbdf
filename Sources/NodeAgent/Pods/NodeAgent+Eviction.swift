import KubernetesAPI

extension NodeAgent {
    /// The pods that may be ended for lack of something: neither the ones that are ending, nor those the node cannot do without.
    func evictionCandidates() async -> [Pod] {
        var pods: [Pod] = []
        for worker in workers.values where await worker.isEvictable {
            let pod = await worker.pod
            if !pod.isCritical { pods.append(pod) }
        }
        return pods.sorted { $0.key < $1.key }
    }

    /// Ends a pod for the node's sake.
    ///
    /// - Returns: false when it is ending already.
    func evict(_ uid: String, _ eviction: Eviction, graceSeconds: Int64) async -> Bool {
        guard let worker = workers[uid],
            await worker.end(
                with: PodRejection(reason: Eviction.reason, message: eviction.message, isDisruption: true),
                reason: Eviction.reason, annotations: eviction.annotations, graceSeconds: graceSeconds)
        else { return false }
        evictions[eviction.signal, default: 0] += 1
        return true
    }

    /// Whether nothing of the pod runs, or is mounted, any more.
    func isReclaimed(_ uid: String) async -> Bool {
        guard let worker = workers[uid] else { return true }
        let stage = await worker.stage
        return stage == .terminated || stage == .finished
    }

    var podUIDs: Set<String> { Set(workers.keys) }

    /// How many pods this process has evicted, by signal or limit: `kubelet_evictions`.
    public func evictionCounts() -> [String: UInt64] { evictions }
}

extension PodWorker {
    var isEvictable: Bool { stage == .syncing && failure == nil && !pod.isTerminal }
}
