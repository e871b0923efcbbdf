import Glibc
import SystemPackage

extension CgroupManager {
    /// What the cgroup and everything below it used, from whatever controllers the host has. ENOENT when it does not
    /// exist.
    public func usage(_ path: String, _ scope: CgroupUsage.Scope = .everything) throws(KernelError) -> CgroupUsage {
        let relative = try resolve(path)
        var usage = CgroupUsage()
        // Held open, the directory makes every read below a walk of one name, and cannot be another cgroup of the same
        // name.
        let directory = try OwnedDescriptor.open(try requireAnchor() + relative, O_RDONLY | O_DIRECTORY)
        let isUnified = hierarchies.unified == anchor
        if isUnified { try readUnifiedCPU(directory, &usage) }
        if usage.cpuUsageNanoseconds == nil, let mount = hierarchies.v1[.cpuacct] {
            try readV1CPUAccounting(mount + relative, scope, &usage)
        }
        if let mount = hierarchies.v1[.memory] {
            try readV1Memory(mount + relative, scope, &usage)
        } else if isUnified, unifiedControllers.contains(.memory) {
            try readUnifiedMemory(directory, scope, &usage)
        }
        if scope.contains(.throttling), let mount = hierarchies.v1[.cpu] {
            try readV1Throttling(mount + relative, &usage)
        }
        if scope.contains(.tasks) { try readTasks(directory, relative, isUnified: isUnified, scope, &usage) }
        if scope.contains(.processes) {
            usage.processCount = try CgroupFile.read("cgroup.procs", in: directory.raw) { bytes in
                bytes.reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
            }
        }
        if scope.contains(.io) { try readIO(directory, relative, isUnified: isUnified, &usage) }
        if scope.contains(.hugePages) { try readHugePages(directory, relative, isUnified: isUnified, &usage) }
        if scope.contains(.pressure), isUnified {
            let raw = directory.raw
            usage.cpuPressure =
                try CgroupFile.read("cpu.pressure", in: raw, PressureStallInformation.init(bytes:)) ?? nil
            usage.memoryPressure =
                try CgroupFile.read("memory.pressure", in: raw, PressureStallInformation.init(bytes:)) ?? nil
            usage.ioPressure = try CgroupFile.read("io.pressure", in: raw, PressureStallInformation.init(bytes:)) ?? nil
        }
        return usage
    }

    // MARK: CPU

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

    private func readV1CPUAccounting(
        _ directory: String, _ scope: CgroupUsage.Scope, _ usage: inout CgroupUsage
    ) throws(KernelError) {
        usage.cpuUsageNanoseconds = try CgroupFile.readNumber(directory + "/cpuacct.usage")
        guard scope.contains(.events) else { return }
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

    // MARK: Memory

    private func readUnifiedMemory(
        _ directory: borrowing OwnedDescriptor, _ scope: CgroupUsage.Scope, _ usage: inout CgroupUsage
    ) throws(KernelError) {
        let raw = directory.raw
        usage.memoryUsageBytes = try CgroupFile.readNumber("memory.current", in: raw)
        usage.memorySwapBytes = try CgroupFile.readNumber("memory.swap.current", in: raw)
        if scope.contains(.limits) {
            usage.memoryLimitBytes = try CgroupFile.readNumber("memory.max", in: raw)
            if usage.memorySwapBytes != nil {
                usage.memorySwapLimitBytes = try CgroupFile.readNumber("memory.swap.max", in: raw)
            }
        }
        _ = try CgroupFile.read("memory.stat", in: raw) { bytes in
            CgroupFile.forEachEntry(bytes) { key, value in
                switch key {
                case "anon": usage.memoryRSSBytes = value
                case "file": usage.memoryCacheBytes = value
                case "kernel": usage.memoryKernelBytes = value
                case "inactive_file": usage.memoryInactiveFileBytes = value
                case "file_mapped": usage.memoryMappedFileBytes = value
                case "pgfault": usage.pageFaults = value
                case "pgmajfault": usage.majorPageFaults = value
                default: break
                }
            }
        }
        if scope.contains(.details) { usage.memoryPeakBytes = try CgroupFile.readNumber("memory.peak", in: raw) }
        guard scope.contains(.events) else { return }
        _ = try CgroupFile.read("memory.events", in: raw) { bytes in
            CgroupFile.forEachEntry(bytes) { key, value in
                switch key {
                case "max": usage.memoryLimitHits = value
                case "oom_kill": usage.oomKills = value
                default: break
                }
            }
        }
    }

    private func readV1Memory(
        _ path: String, _ scope: CgroupUsage.Scope, _ usage: inout CgroupUsage
    ) throws(KernelError) {
        let directory: OwnedDescriptor
        do { directory = try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY) } catch {
            if CgroupFile.isAbsent(error.errno) { return }
            throw error
        }
        let raw = directory.raw
        usage.memoryUsageBytes = try CgroupFile.readNumber("memory.usage_in_bytes", in: raw)
        _ = try CgroupFile.read("memory.stat", in: raw) { bytes in
            CgroupFile.forEachEntry(bytes) { key, value in
                switch key {
                case "total_rss": usage.memoryRSSBytes = value
                case "total_cache": usage.memoryCacheBytes = value
                case "total_inactive_file": usage.memoryInactiveFileBytes = value
                case "total_mapped_file": usage.memoryMappedFileBytes = value
                case "total_swap": usage.memorySwapBytes = value
                case "total_pgfault": usage.pageFaults = value
                case "total_pgmajfault": usage.majorPageFaults = value
                default: break
                }
            }
        }
        if scope.contains(.limits) { try readV1Limits(directory, &usage) }
        if scope.contains(.details) {
            usage.memoryKernelBytes = try CgroupFile.readNumber("memory.kmem.usage_in_bytes", in: raw)
            usage.memoryPeakBytes = try CgroupFile.readNumber("memory.max_usage_in_bytes", in: raw)
        }
        guard scope.contains(.events) else { return }
        usage.memoryLimitHits = try CgroupFile.readNumber("memory.failcnt", in: raw)
        _ = try CgroupFile.read("memory.oom_control", in: raw) { bytes in
            CgroupFile.forEachEntry(bytes) { key, value in
                if case "oom_kill" = key { usage.oomKills = value }
            }
        }
    }

    private func readV1Limits(_ directory: borrowing OwnedDescriptor, _ usage: inout CgroupUsage) throws(KernelError) {
        let raw = directory.raw
        usage.memoryLimitBytes = try CgroupFile.readNumber("memory.limit_in_bytes", in: raw).flatMap(Self.v1Limit)
        // One limit for memory and swap together.
        if usage.memorySwapBytes != nil, let memory = usage.memoryLimitBytes,
            let both = try CgroupFile.readNumber("memory.memsw.limit_in_bytes", in: raw).flatMap(Self.v1Limit)
        {
            usage.memorySwapLimitBytes = both > memory ? both - memory : 0
        }
    }

    /// "Unlimited" is the largest signed number rounded down to a page, whatever the page size.
    private static func v1Limit(_ value: UInt64) -> UInt64? {
        value < UInt64(Int64.max) &- (1 << 20) ? value : nil
    }

    private func nanoseconds(_ microseconds: UInt64) -> UInt64 {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product
    }

    // MARK: Processes

    private func readTasks(
        _ directory: borrowing OwnedDescriptor, _ relative: String, isUnified: Bool, _ scope: CgroupUsage.Scope,
        _ usage: inout CgroupUsage
    ) throws(KernelError) {
        if let mount = hierarchies.v1[.pids] {
            usage.pidsCurrent = try CgroupFile.readNumber(mount + relative + "/pids.current")
            guard scope.contains(.details) else { return }
            usage.pidsLimit = try CgroupFile.readNumber(mount + relative + "/pids.max")
        } else if isUnified, unifiedControllers.contains(.pids) {
            usage.pidsCurrent = try CgroupFile.readNumber("pids.current", in: directory.raw)
            guard scope.contains(.details) else { return }
            usage.pidsLimit = try CgroupFile.readNumber("pids.max", in: directory.raw)
        }
    }

    /// Throws EBUSY when the cgroup holds more than a memory limit that is about to be set, without what can be dropped
    /// of the page cache. v1 refuses such a limit by itself; v2 takes it, and kills until it holds.
    public func refuseBelowUsage(memoryLimitBytes limit: Int64, _ path: String) throws(KernelError) {
        guard let used = try usage(path, []).memoryWorkingSetBytes, used > UInt64(clamping: limit) else { return }
        throw KernelError("set a memory limit of \(limit) below the \(used) bytes used in", path, errno: .resourceBusy)
    }

    /// Stall information of the cgroup; `nil` where the kernel keeps none (v1, or PSI switched off).
    public func pressure(
        _ path: String, of resource: PressureStallInformation.Resource
    ) throws(KernelError) -> PressureStallInformation? {
        guard let unified = hierarchies.unified else { return nil }
        let file = try unified + resolve(path) + "/" + resource.rawValue + ".pressure"
        return try CgroupFile.read(file, PressureStallInformation.init(bytes:)) ?? nil
    }
}
