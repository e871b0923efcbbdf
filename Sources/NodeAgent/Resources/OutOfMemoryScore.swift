import KubernetesAPI
import LinuxKernel

/// `oom_score_adj` of a container's processes: who goes first when the node's memory is used up. Pure.
enum OutOfMemoryScore {
    static func score(of container: Container, in pod: Pod, nodeMemoryBytes: Int64) -> Int32 {
        if pod.isNodeCritical { return Int32(CgroupResources.guaranteedOOMScoreAdjustment) }
        switch pod.qosClass {
        case .guaranteed: return Int32(CgroupResources.guaranteedOOMScoreAdjustment)
        case .bestEffort: return Int32(CgroupResources.bestEffortOOMScoreAdjustment)
        case .burstable:
            let own = burstable(container, in: pod, nodeMemoryBytes)
            let isSidecar = pod.spec.sidecars.contains { $0.name == container.name }
            guard isSidecar else { return Int32(own) }
            // The pod's containers depend on it: it does not go before any of them.
            return Int32(pod.spec.containers.reduce(own) { min($0, burstable($1, in: pod, nodeMemoryBytes)) })
        }
    }

    private static func burstable(_ container: Container, in pod: Pod, _ nodeMemoryBytes: Int64) -> Int {
        let (request, _) = PodResources.memoryRequest(of: container)
            .addingReportingOverflow(share(in: pod.spec))
        return CgroupResources.burstableOOMScoreAdjustment(
            memoryRequestBytes: max(0, request), nodeMemoryBytes: nodeMemoryBytes)
    }

    /// What the pod requests beyond its containers, in equal parts.
    private static func share(in spec: PodSpec) -> Int64 {
        guard let podRequest = spec.resources?.requests?["memory"]?.value else { return 0 }
        let parts = spec.containers + spec.sidecars
        let sum = parts.reduce(Int64(0)) { ResourceAmounts.saturatingSum($0, PodResources.memoryRequest(of: $1)) }
        guard podRequest > sum, sum >= 0, !parts.isEmpty else { return 0 }
        return (podRequest - sum) / Int64(parts.count)
    }
}

extension Pod {
    /// Whether the node itself does not work without it.
    var isNodeCritical: Bool { isCritical && spec.priorityClassName == "system-node-critical" }
}
