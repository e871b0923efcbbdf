import KubernetesAPI
import LinuxKernel

/// From a pod's resource requirements to cgroup values. Pure.
enum PodResources {
    static func container(_ container: Container, podPidsLimit: Int64?) -> CgroupResources {
        let limits = container.resources?.limits ?? [:]
        let requests = container.resources?.requests ?? [:]
        let cpuRequest = requests["cpu"] ?? limits["cpu"]
        return CgroupResources(
            cpuShares: CgroupResources.cpuShares(milliCPU: cpuRequest?.milliValue ?? 0),
            cpuQuotaMicroseconds: limits["cpu"].flatMap {
                CgroupResources.cpuQuotaMicroseconds(milliCPU: $0.milliValue)
            },
            memoryLimitBytes: limits["memory"]?.value, pidsLimit: podPidsLimit, oomGroup: true)
    }

    static func pod(_ pod: Pod, pidsLimit: Int64?) -> CgroupResources {
        let requests = pod.spec.totalRequests
        let limits = pod.spec.totalLimits
        let isBestEffort = pod.qosClass == .bestEffort
        return CgroupResources(
            cpuShares: isBestEffort ? 2 : CgroupResources.cpuShares(milliCPU: requests["cpu"]?.milliValue ?? 0),
            cpuQuotaMicroseconds: pod.spec.isLimited("cpu")
                ? limits["cpu"].flatMap { CgroupResources.cpuQuotaMicroseconds(milliCPU: $0.milliValue) } : nil,
            memoryLimitBytes: pod.spec.isLimited("memory") ? limits["memory"]?.value : nil, pidsLimit: pidsLimit)
    }

    static func outOfMemoryScore(_ pod: Pod, _ container: Container, nodeMemoryBytes: Int64) -> Int32 {
        switch pod.qosClass {
        case .guaranteed: Int32(CgroupResources.guaranteedOOMScoreAdjustment)
        case .bestEffort: Int32(CgroupResources.bestEffortOOMScoreAdjustment)
        case .burstable:
            Int32(
                CgroupResources.burstableOOMScoreAdjustment(
                    memoryRequestBytes: container.resources?.requests?["memory"]?.value ?? 0,
                    nodeMemoryBytes: nodeMemoryBytes))
        }
    }
}
