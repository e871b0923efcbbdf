import Glibc
import SystemPackage

extension CgroupManager {
    /// What the cgroup and everything below it used, from whatever controllers the host has. ENOENT when it does not
    /// exist.
    public func usage(_ path: String) throws(KernelError) -> CgroupUsage {
        let relative = try resolve(path)
        var usage = CgroupUsage()
        // Held open, the directory makes every read below a walk of one name, and cannot be another cgroup of the same
        // name.
        let directory = try OwnedDescriptor.open(try requireAnchor() + relative, O_RDONLY | O_DIRECTORY)
        let isUnified = hierarchies.unified == anchor
        if isUnified { try readUnifiedCPU(directory, &usage) }
        if usage.cpuUsageNanoseconds == nil, let mount = hierarchies.v1[.cpuacct] {
            try readV1CPUAccounting(mount + relative, &usage)
        }
        if let mount = hierarchies.v1[.cpu] { try readV1Throttling(mount + relative, &usage) }
        if let mount = hierarchies.v1[.memory] {
            try readV1Memory(mount + relative, &usage)
        } else if isUnified, unifiedControllers.contains(.memory) {
            try readUnifiedMemory(directory, &usage)
        }
        if let mount = hierarchies.v1[.pids] {
            usage.pidsCurrent = try CgroupFile.readNumber(mount + relative + "/pids.current")
        } else if isUnified, unifiedControllers.contains(.pids) {
            usage.pidsCurrent = try CgroupFile.readNumber("pids.current", in: directory.raw)
        }
        return usage
    }

    /// v2 accounts CPU time in every cgroup, with or without the controller; throttling only with it.
    private func readUnifiedCPU(_ directory: borrowing OwnedDescriptor, _ usage: inout CgroupUsage) throws(KernelError)
    {
        _ = try CgroupFile.read("cpu.stat", in: directory.raw) { bytes in
            CgroupFile.forEachEntry(bytes) { key, value in
                switch key {
                case "usage_usec": usage.cpuUsageNanoseconds = nanoseconds(value)
                case "user_usec": usage.cpuUserNanoseconds = nanoseconds(value)
                case "system_usec": usage.cpuSystemNanoseconds = nanoseconds(value)
                case "nr_periods": usage.cpuPeriods = value
                case "nr_throttled": usage.throttledPeriods = value
                case "throttled_usec": usage.throttledNanoseconds = nanoseconds(value)
                default: break
                }
            }
        }
    }

    private func readV1CPUAccounting(_ directory: String, _ usage: inout CgroupUsage) throws(KernelError) {
        usage.cpuUsageNanoseconds = try CgroupFile.readNumber(directory + "/cpuacct.usage")
        usage.cpuUserNanoseconds = try CgroupFile.readNumber(directory + "/cpuacct.usage_user")
        usage.cpuSystemNanoseconds = try CgroupFile.readNumber(directory + "/cpuacct.usage_sys")
    }

    private func readV1Throttling(_ directory: String, _ usage: inout CgroupUsage) throws(KernelError) {
        _ = try CgroupFile.read(directory + "/cpu.stat") { bytes in
            CgroupFile.forEachEntry(bytes) { key, value in
                switch key {
                case "nr_periods": usage.cpuPeriods = value
                case "nr_throttled": usage.throttledPeriods = value
                case "throttled_time": usage.throttledNanoseconds = value
                default: break
                }
            }
        }
    }

    private func readUnifiedMemory(_ directory: borrowing OwnedDescriptor, _ usage: inout CgroupUsage)
        throws(KernelError)
    {
        let raw = directory.raw
        usage.memoryUsageBytes = try CgroupFile.readNumber("memory.current", in: raw)
        usage.memorySwapBytes = try CgroupFile.readNumber("memory.swap.current", in: raw)
        usage.memoryLimitBytes = try CgroupFile.readNumber("memory.max", in: raw)
        _ = try CgroupFile.read("memory.stat", in: raw) { bytes in
            CgroupFile.forEachEntry(bytes) { key, value in
                switch key {
                case "anon": usage.memoryRSSBytes = value
                case "file": usage.memoryCacheBytes = value
                case "inactive_file": usage.memoryInactiveFileBytes = value
                case "pgfault": usage.pageFaults = value
                case "pgmajfault": usage.majorPageFaults = value
                default: break
                }
            }
        }
        usage.oomKills = try CgroupFile.read("memory.events", in: raw, oomKills) ?? nil
    }

    private func readV1Memory(_ directory: String, _ usage: inout CgroupUsage) throws(KernelError) {
        usage.memoryUsageBytes = try CgroupFile.readNumber(directory + "/memory.usage_in_bytes")
        _ = try CgroupFile.read(directory + "/memory.stat") { bytes in
            CgroupFile.forEachEntry(bytes) { key, value in
                switch key {
                case "total_rss": usage.memoryRSSBytes = value
                case "total_cache": usage.memoryCacheBytes = value
                case "total_inactive_file": usage.memoryInactiveFileBytes = value
                case "total_swap": usage.memorySwapBytes = value
                case "total_pgfault": usage.pageFaults = value
                case "total_pgmajfault": usage.majorPageFaults = value
                default: break
                }
            }
        }
        // "Unlimited" is the largest signed number rounded down to a page, whatever the page size.
        if let limit = try CgroupFile.readNumber(directory + "/memory.limit_in_bytes"),
            limit < UInt64(Int64.max) &- (1 << 20)
        {
            usage.memoryLimitBytes = limit
        }
        usage.oomKills = try CgroupFile.read(directory + "/memory.oom_control", oomKills) ?? nil
    }

    private func oomKills(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        var kills: UInt64?
        CgroupFile.forEachEntry(bytes) { key, value in
            if case "oom_kill" = key { kills = value }
        }
        return kills
    }

    private func nanoseconds(_ microseconds: UInt64) -> UInt64 {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product
    }

    /// Throws EBUSY when the cgroup holds more than a memory limit that is about to be set, without what can be dropped
    /// of the page cache. v1 refuses such a limit by itself; v2 takes it, and kills until it holds.
    public func refuseBelowUsage(memoryLimitBytes limit: Int64, _ path: String) throws(KernelError) {
        guard let used = try usage(path).memoryWorkingSetBytes, used > UInt64(clamping: limit) else { return }
        throw KernelError("set a memory limit of \(limit) below the \(used) bytes used in", path, errno: .resourceBusy)
    }

    /// Stall information of the cgroup; `nil` where the kernel keeps none (v1, or PSI switched off).
    public func pressure(
        _ path: String, of resource: PressureStallInformation.Resource
    ) throws(KernelError) -> PressureStallInformation? {
        guard let unified = hierarchies.unified else { return nil }
        let file = try unified + resolve(path) + "/" + resource.rawValue + ".pressure"
        return try CgroupFile.read(file) { bytes in
            PressureStallInformation(parsing: String(decoding: bytes, as: UTF8.self))
        } ?? nil
    }
}
