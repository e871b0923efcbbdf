import KubernetesAPI
import LinuxKernel

/// The values of the cgroups above the pods. Pure.
enum CgroupTreePlan {
    /// All pods together: the machine less what is set aside for what is no pod. What eviction keeps free is not taken
    /// off: pods that come to it are ended in order instead of by the kernel.
    ///
    /// - Parameter processes: how many the kernel can have.
    static func kubepods(
        capacity: [String: Quantity], processes: Int64?, reservation: NodeReservation
    ) -> CgroupResources {
        func rest(_ name: String) -> Quantity? {
            guard let whole = capacity[name] else { return nil }
            let rest = whole - reservation.amount(name)
            return rest.isNegative ? .zero : rest
        }
        let memory = rest("memory")?.value ?? 0
        return CgroupResources(
            cpuShares: rest("cpu").map { CgroupResources.cpuShares(milliCPU: $0.milliValue) },
            memoryLimitBytes: memory > 0 ? memory : nil,
            pidsLimit: processes.map { max(0, $0 - reservation.amount("pid").value) },
            // Swap is limited where memory is asked for: in the containers.
            memorySwapLimitBytes: memory > 0 ? -1 : nil)
    }

    /// The classes' cgroups, by path.
    struct Classes: Hashable {
        /// Memory reserved for Guaranteed pods has to be reserved above them too; nil without such reservations.
        var kubepods: CgroupResources?
        var burstable: CgroupResources
        var bestEffort: CgroupResources
    }

    /// Burstable pods compete with Guaranteed ones by what they asked for together, the others get the least there is.
    static func classes(of pods: [Pod], policy: ResourcePolicy) -> Classes {
        var shares: Int64 = 0
        var burstableMemory: Int64 = 0
        var guaranteedMemory: Int64 = 0
        for pod in pods {
            let requests = ResourceAmounts(requestsOf: pod.spec)
            switch pod.qosClass {
            case .guaranteed:
                guaranteedMemory = ResourceAmounts.saturatingSum(guaranteedMemory, requests["memory"])
            case .burstable:
                shares = ResourceAmounts.saturatingSum(shares, requests["cpu"])
                burstableMemory = ResourceAmounts.saturatingSum(burstableMemory, requests["memory"])
            case .bestEffort: break
            }
        }
        var classes = Classes(
            burstable: CgroupResources(cpuShares: CgroupResources.cpuShares(milliCPU: shares)),
            bestEffort: CgroupResources(cpuShares: CgroupResources.cpuShares(milliCPU: 0)))
        classes.burstable.ioWeight = policy.ioWeights?.burstable
        classes.bestEffort.ioWeight = policy.ioWeights?.bestEffort
        guard policy.memoryQuality?.reservesMemory == true else { return classes }
        classes.burstable.memoryLowBytes = burstableMemory
        var above = CgroupResources()
        above.memoryMinBytes = guaranteedMemory
        above.memoryLowBytes = burstableMemory
        classes.kubepods = above
        return classes
    }
}
