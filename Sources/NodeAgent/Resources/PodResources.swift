import Glibc
import KubernetesAPI
import LinuxKernel

/// From a pod's resource requirements to cgroup values. Pure.
struct PodResources {
    let policy: ResourcePolicy
    let machine: MachineResources

    // MARK: Containers

    func container(_ container: Container, of pod: Pod) -> CgroupResources {
        let limits = Self.limits(of: container, in: pod.spec)
        let requests = container.resources?.requests ?? [:]
        // A quota would only take time away from processors that are the container's own.
        let isPinned = policy.pinsProcessors && Self.pinnedProcessors(of: container, in: pod) != nil
        let cpuRequest = requests["cpu"] ?? container.resources?.limits?["cpu"]
        var resources = CgroupResources(
            cpuShares: CgroupResources.cpuShares(milliCPU: cpuRequest?.milliValue ?? 0),
            cpuQuotaMicroseconds: isPinned ? -1 : quota(limits["cpu"]), memoryLimitBytes: Self.limit(limits["memory"]),
            pidsLimit: policy.podPidsLimit, oomGroup: policy.killsWholeContainer)
        resources.memorySwapLimitBytes = swap(of: container, in: pod, memoryLimit: resources.memoryLimitBytes)
        addMemoryQuality(&resources, container, pod)
        resources.hugePageLimits = hugePages(limits)
        return resources
    }

    /// A container's own limits, and those of the pod where it has none.
    static func limits(of container: Container, in spec: PodSpec) -> [String: Quantity] {
        (container.resources?.limits ?? [:]).merging(PodSpec.podLevel(spec.resources?.limits)) { own, _ in own }
    }

    private func quota(_ limit: Quantity?) -> Int64? {
        guard policy.enforcesCPULimits else { return nil }
        return limit.flatMap { CgroupResources.cpuQuotaMicroseconds(milliCPU: $0.milliValue) }
    }

    /// Zero stands for no limit.
    private static func limit(_ quantity: Quantity?) -> Int64? { quantity.flatMap { $0.value > 0 ? $0.value : nil } }

    /// Nil where the memory limit, or the lack of swap, says it already.
    private func swap(of container: Container, in pod: Pod, memoryLimit: Int64?) -> Int64? {
        guard machine.swapBytes > 0 else { return nil }
        guard policy.swap == .limitedSwap, pod.qosClass == .burstable, !pod.isCritical else { return 0 }
        let request = Self.memoryRequest(of: container)
        guard request > 0, request != memoryLimit, machine.memoryBytes > 0 else { return 0 }
        let share = Double(request) / Double(machine.memoryBytes)
        return Int64(min(Double(machine.swapBytes), share * Double(machine.swapBytes)))
    }

    /// What a container asks for; a limit stands in for a request.
    static func memoryRequest(of container: Container) -> Int64 {
        (container.resources?.requests?["memory"] ?? container.resources?.limits?["memory"])?.value ?? 0
    }

    private func addMemoryQuality(_ resources: inout CgroupResources, _ container: Container, _ pod: Pod) {
        guard let quality = policy.memoryQuality else { return }
        let request = Self.memoryRequest(of: container)
        if quality.reservesMemory, request > 0 { Self.reserve(request, for: pod.qosClass, in: &resources) }
        let ceiling = resources.memoryLimitBytes ?? machine.allocatableMemoryBytes
        guard pod.qosClass != .guaranteed, request < ceiling else { return }
        let page = Int64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        let throttled = Double(request) + quality.throttlingFactor * Double(ceiling - request)
        let high = min(ceiling, Int64(throttled) / page * page)
        if high > request { resources.memoryHighBytes = high }
    }

    private static func reserve(_ bytes: Int64, for quality: PodQOSClass, in resources: inout CgroupResources) {
        switch quality {
        case .guaranteed: resources.memoryMinBytes = bytes
        case .burstable: resources.memoryLowBytes = bytes
        case .bestEffort: break
        }
    }

    /// What was asked for of each size, nothing of the others. A size the node has no page of needs no limit, unless it
    /// is asked for.
    private func hugePages(_ limits: [String: Quantity]) -> [String: Int64] {
        var amounts: [String: Int64] = [:]
        for pool in machine.hugePages {
            let asked = limits[pool.resourceName]?.value
            if pool.isUsable || asked != nil { amounts[pool.cgroupName] = asked ?? 0 }
        }
        return amounts
    }

    /// How many processors a container of a Guaranteed pod asks for, if it asks for whole ones.
    static func pinnedProcessors(of container: Container, in pod: Pod) -> Int? {
        guard pod.qosClass == .guaranteed,
            let amount = container.resources?.requests?["cpu"] ?? container.resources?.limits?["cpu"]
        else { return nil }
        let milli = amount.milliValue
        return milli > 0 && milli % 1000 == 0 ? Int(milli / 1000) : nil
    }

    // MARK: Pods

    func pod(_ pod: Pod) -> CgroupResources {
        var spec = pod.spec
        spec.applyResourceDefaults()
        let (requests, limits) = (spec.totalRequests, spec.totalLimits)
        let isBestEffort = pod.qosClass == .bestEffort
        let containers = spec.containers + (spec.initContainers ?? [])
        let isPinned =
            policy.pinsProcessors && containers.contains { Self.pinnedProcessors(of: $0, in: pod) != nil }
        var resources = CgroupResources(
            cpuShares: isBestEffort
                ? CgroupResources.cpuShares(milliCPU: 0)
                : CgroupResources.cpuShares(milliCPU: requests["cpu"]?.milliValue ?? 0),
            cpuQuotaMicroseconds: isPinned ? -1 : spec.isLimited("cpu") ? quota(limits["cpu"]) : nil,
            memoryLimitBytes: spec.isLimited("memory") ? Self.limit(limits["memory"]) : nil,
            pidsLimit: policy.podPidsLimit)
        // The containers say what may be swapped.
        if machine.swapBytes > 0, resources.memoryLimitBytes != nil { resources.memorySwapLimitBytes = -1 }
        if policy.memoryQuality?.reservesMemory == true, let request = Self.limit(requests["memory"]) {
            Self.reserve(request, for: pod.qosClass, in: &resources)
        }
        resources.hugePageLimits = hugePages(limits)
        // Pods of the other classes share what their class has.
        if pod.qosClass == .guaranteed { resources.ioWeight = policy.ioWeights?.guaranteed }
        return resources
    }
}

extension HugePagePool {
    /// As pods and nodes name it: `hugepages-2Mi`.
    var resourceName: String { "hugepages-\(Quantity.bytes(pageBytes))" }
}
