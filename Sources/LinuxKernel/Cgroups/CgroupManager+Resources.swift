import Glibc
import SystemPackage

extension CgroupManager {
    /// Sets limits and gives back those this host cannot enforce. A limit the kernel refuses (EINVAL, EBUSY because
    /// more is already used) throws.
    @discardableResult
    public func apply(_ resources: CgroupResources, to path: String) throws(KernelError) -> [CgroupShortfall] {
        let relative = try resolve(path)
        var shortfalls: [CgroupShortfall] = []
        if let shares = resources.cpuShares { try applyShares(shares, relative, &shortfalls) }
        if let quota = resources.cpuQuotaMicroseconds { try applyQuota(quota, relative, &shortfalls) }
        if resources.memoryLimitBytes != nil || resources.memorySwapLimitBytes != nil || resources.oomGroup {
            try applyMemory(resources, relative, &shortfalls)
        }
        try applyMemoryProtection(resources, relative, &shortfalls)
        try applyHugePages(resources.hugePageLimits, relative, &shortfalls)
        if let processors = resources.cpuSet {
            if let carrier = carrier(of: .cpuset) {
                try write(processors, carrier.mount + relative + "/cpuset.cpus", .cpuSet, .cpuset, &shortfalls)
            } else {
                shortfalls.append(notAvailable(.cpuSet, .cpuset))
            }
        }
        if let weight = resources.ioWeight { try applyIOWeight(weight, relative, &shortfalls) }
        if let limit = resources.pidsLimit {
            if let carrier = carrier(of: .pids) {
                try write(
                    limit < 0 ? "max" : "\(limit)", carrier.mount + relative + "/pids.max", .pidsLimit, .pids,
                    &shortfalls)
            } else {
                shortfalls.append(notAvailable(.pidsLimit, .pids))
            }
        }
        return shortfalls
    }

    private func applyShares(_ shares: UInt64, _ relative: String, _ shortfalls: inout [CgroupShortfall])
        throws(KernelError)
    {
        guard let carrier = carrier(of: .cpu) else { return shortfalls.append(notAvailable(.cpuShares, .cpu)) }
        let legal = min(CgroupResources.maximumShares, max(CgroupResources.minimumShares, shares))
        let directory = carrier.mount + relative
        if carrier.unified {
            let weight = CgroupResources.cpuWeight(shares: legal)
            try write("\(weight)", directory + "/cpu.weight", .cpuShares, .cpu, &shortfalls)
        } else {
            try write("\(legal)", directory + "/cpu.shares", .cpuShares, .cpu, &shortfalls)
        }
    }

    private func applyQuota(_ quota: Int64, _ relative: String, _ shortfalls: inout [CgroupShortfall])
        throws(KernelError)
    {
        guard let carrier = carrier(of: .cpu) else { return shortfalls.append(notAvailable(.cpuQuota, .cpu)) }
        let directory = carrier.mount + relative
        let period = CgroupResources.cpuPeriodMicroseconds
        let legal = quota < 0 ? -1 : max(CgroupResources.minimumQuotaMicroseconds, quota)
        if carrier.unified {
            try write(
                "\(legal < 0 ? "max" : "\(legal)") \(period)", directory + "/cpu.max", .cpuQuota, .cpu, &shortfalls)
        } else {
            // A new cgroup has the 100 ms period already; the quota file alone says whether the kernel can do this.
            try write("\(legal)", directory + "/cpu.cfs_quota_us", .cpuQuota, .cpu, &shortfalls)
        }
    }

    /// A kernel has up to two files for it, of two ways to share a disk, of which at most one is in use at a time.
    private func applyIOWeight(
        _ weight: UInt64, _ relative: String, _ shortfalls: inout [CgroupShortfall]
    ) throws(KernelError) {
        guard let carrier = carrier(of: .io) else { return shortfalls.append(notAvailable(.ioWeight, .io)) }
        let directory = carrier.mount + relative
        let legal = min(CgroupResources.maximumIOWeight, max(1, weight))
        // BFQ ends at 1000, and has the same middle.
        let forBFQ = min(CgroupResources.maximumBFQWeight, legal)
        if carrier.unified {
            let isKept = try write("\(forBFQ)", toExisting: directory + "/io.bfq.weight")
            if try write("default \(legal)", toExisting: directory + "/io.weight") || isKept { return }
            try write("\(legal)", directory + "/io.weight", .ioWeight, .io, &shortfalls)
        } else {
            if try write("\(forBFQ)", toExisting: directory + "/blkio.bfq.weight") { return }
            // Of kernels before 5.0, from 10 on and with 500 in the middle.
            let old = max(10, min(CgroupResources.maximumBFQWeight, legal * 5))
            if try write("\(old)", toExisting: directory + "/blkio.weight") { return }
            try write("\(forBFQ)", directory + "/blkio.bfq.weight", .ioWeight, .io, &shortfalls)
        }
    }

    private func applyMemory(
        _ resources: CgroupResources, _ relative: String, _ shortfalls: inout [CgroupShortfall]
    ) throws(KernelError) {
        guard let carrier = carrier(of: .memory) else {
            if resources.memoryLimitBytes != nil { shortfalls.append(notAvailable(.memoryLimit, .memory)) }
            if resources.memorySwapLimitBytes != nil { shortfalls.append(notAvailable(.swapLimit, .memory)) }
            if resources.oomGroup { shortfalls.append(notAvailable(.oomGroup, .memory)) }
            return
        }
        let directory = carrier.mount + relative
        if carrier.unified {
            try applyUnifiedMemory(resources, directory, &shortfalls)
        } else {
            try applyV1Memory(resources, directory, &shortfalls)
        }
    }

    private func applyUnifiedMemory(
        _ resources: CgroupResources, _ directory: String, _ shortfalls: inout [CgroupShortfall]
    ) throws(KernelError) {
        if let limit = resources.memoryLimitBytes {
            try write(limit < 0 ? "max" : "\(limit)", directory + "/memory.max", .memoryLimit, .memory, &shortfalls)
        }
        let file = directory + "/memory.swap.max"
        if let swap = resources.memorySwapLimitBytes, swap < 0 {
            try write("max", toExisting: file)
        } else if let swap = resources.memorySwapLimitBytes {
            try write("\(swap)", file, .swapLimit, .memory, &shortfalls)
        } else if let limit = resources.memoryLimitBytes, limit >= 0 {
            // Without the file the kernel does not account swap; on a host that has none that is no shortfall.
            try write("0", toExisting: file)
        }
        if resources.oomGroup { try write("1", directory + "/memory.oom.group", .oomGroup, .memory, &shortfalls) }
    }

    /// v1 limits memory and memory + swap, and insists on memory ≤ memory + swap at every moment.
    private func applyV1Memory(
        _ resources: CgroupResources, _ directory: String, _ shortfalls: inout [CgroupShortfall]
    ) throws(KernelError) {
        let memoryFile = directory + "/memory.limit_in_bytes"
        let bothFile = directory + "/memory.memsw.limit_in_bytes"
        if let limit = resources.memoryLimitBytes {
            let both: Int64
            if limit < 0 || (resources.memorySwapLimitBytes ?? 0) < 0 {
                both = -1
            } else {
                let (sum, overflow) = limit.addingReportingOverflow(resources.memorySwapLimitBytes ?? 0)
                both = overflow ? -1 : sum
            }
            let memoryText = "\(limit < 0 ? -1 : limit)"
            do {
                try write(memoryText, memoryFile, .memoryLimit, .memory, &shortfalls)
                try write("\(both)", toExisting: bothFile)
            } catch  where error.errno == .invalidArgument {
                // Above the old sum: the sum goes first.
                try write("\(both)", toExisting: bothFile)
                try write(memoryText, memoryFile, .memoryLimit, .memory, &shortfalls)
            }
            if resources.memorySwapLimitBytes ?? -1 >= 0, !FileSystem.exists(bothFile) {
                shortfalls.append(notAccounted(.swapLimit))
            }
        } else if let swap = resources.memorySwapLimitBytes {
            try applyV1Swap(swap, directory, bothFile, limit: try CgroupFile.readNumber(memoryFile) ?? 0, &shortfalls)
        }
        if resources.oomGroup {
            shortfalls.append(
                CgroupShortfall(
                    resource: .oomGroup, controller: .memory,
                    reason: "the memory controller is mounted as cgroup v1, which kills single processes"))
        }
    }

    /// Swap of a cgroup whose memory limit stays as it is. Without one there is no sum to limit: that it does not swap at
    /// all is all that can be asked of it.
    private func applyV1Swap(
        _ swap: Int64, _ directory: String, _ bothFile: String, limit: UInt64, _ shortfalls: inout [CgroupShortfall]
    ) throws(KernelError) {
        let (sum, overflow) = limit.addingReportingOverflow(UInt64(max(0, swap)))
        let isUnlimited = overflow || sum > UInt64(Int64.max) &- (1 << 20)
        if swap == 0, isUnlimited {
            try write("0", directory + "/memory.swappiness", .swapLimit, .memory, &shortfalls)
        } else if swap > 0, isUnlimited {
            shortfalls.append(
                CgroupShortfall(
                    resource: .swapLimit, controller: .memory,
                    reason: "cgroup v1 limits swap only together with memory, which has no limit here"))
        } else if try !write(swap < 0 ? "-1" : "\(sum)", toExisting: bothFile), swap >= 0 {
            shortfalls.append(notAccounted(.swapLimit))
        }
    }

    private func applyMemoryProtection(
        _ resources: CgroupResources, _ relative: String, _ shortfalls: inout [CgroupShortfall]
    ) throws(KernelError) {
        let values: [(Int64?, String, CgroupShortfall.Resource)] = [
            (resources.memoryMinBytes, "/memory.min", .memoryProtection),
            (resources.memoryLowBytes, "/memory.low", .memoryProtection),
            (resources.memoryHighBytes, "/memory.high", .memoryThrottling),
        ]
        for case (let value?, let file, let resource) in values {
            guard let carrier = carrier(of: .memory) else {
                shortfalls.append(notAvailable(resource, .memory))
                continue
            }
            if carrier.unified {
                let text = value < 0 ? "max" : "\(value)"
                try write(text, carrier.mount + relative + file, resource, .memory, &shortfalls)
            } else {
                shortfalls.append(
                    CgroupShortfall(
                        resource: resource, controller: .memory,
                        reason: "the memory controller is mounted as cgroup v1, which has no \(file.dropFirst())"))
            }
        }
    }

    private func applyHugePages(
        _ limits: [String: Int64], _ relative: String, _ shortfalls: inout [CgroupShortfall]
    ) throws(KernelError) {
        for (size, limit) in limits.sorted(by: { $0.key < $1.key }) {
            guard let carrier = carrier(of: .hugetlb) else {
                shortfalls.append(notAvailable(.hugePages, .hugetlb))
                return
            }
            let prefix = carrier.mount + relative + "/hugetlb.\(size)"
            if carrier.unified {
                let text = limit < 0 ? "max" : "\(limit)"
                try write(text, prefix + ".max", .hugePages, .hugetlb, &shortfalls)
                // Pages set aside by mmap count before they are touched; Linux 5.7.
                try write(text, toExisting: prefix + ".rsvd.max")
            } else {
                let text = limit < 0 ? "-1" : "\(limit)"
                try write(text, prefix + ".limit_in_bytes", .hugePages, .hugetlb, &shortfalls)
                try write(text, toExisting: prefix + ".rsvd.limit_in_bytes")
            }
        }
    }

    // MARK: Writing

    /// Writes a limit; an absent file is a shortfall, an absent cgroup an error.
    private func write(
        _ value: String, _ file: String, _ resource: CgroupShortfall.Resource, _ controller: CgroupController,
        _ shortfalls: inout [CgroupShortfall]
    ) throws(KernelError) {
        if try write(value, toExisting: file) { return }
        let path = FilePath(file)
        let directory = path.removingLastComponent().string
        guard FileSystem.exists(directory) else {
            throw KernelError("set \(resource.rawValue) of", directory, errno: .noSuchFileOrDirectory)
        }
        let name = path.lastComponent?.string ?? file
        shortfalls.append(
            CgroupShortfall(
                resource: resource, controller: controller,
                reason: "there is no \(name) in the cgroup: its parents do not hand down the \(controller.rawValue) "
                    + "controller, or the kernel is built without it"))
    }

    /// `false` when the file does not exist.
    @discardableResult
    private func write(_ value: String, toExisting file: String) throws(KernelError) -> Bool {
        do {
            try FileSystem.writeKernelFile(file, value)
            return true
        } catch {
            if CgroupFile.isAbsent(error.errno) { return false }
            throw error
        }
    }

    private func notAvailable(_ resource: CgroupShortfall.Resource, _ controller: CgroupController) -> CgroupShortfall {
        CgroupShortfall(
            resource: resource, controller: controller,
            reason: "this host has no cgroup hierarchy with the \(controller.rawValue) controller")
    }

    private func notAccounted(_ resource: CgroupShortfall.Resource) -> CgroupShortfall {
        CgroupShortfall(
            resource: resource, controller: .memory, reason: "the kernel does not account swap (swapaccount=0)")
    }
}
