import Glibc
public import LinuxKernel

/// The whole machine's use: /proc, which holds on every cgroup version.
public struct NodeUsage: Sendable {
    /// CPU time and memory in a cgroup's terms, so that the machine is one more row.
    public var usage = CgroupUsage()
    public var memory: ProcFS.MemoryInformation?
    public var processors = 1
    /// Interfaces that are the machine's own: neither loopback nor the host's ends of pods' cables.
    public var interfaces: [NetworkInterfaceCounters] = []
    /// The interface of the default route.
    public var primaryInterface: String?
    /// Where the node keeps its pods, and where it keeps images.
    public var fileSystem: FileSystemUsage?
    public var imageFileSystem: FileSystemUsage?
    public var processLimit: UInt64?
    public var processCount: UInt64?
    /// The agent itself.
    public var agent: ProcessUsage?
    /// Seconds since 1970.
    public var bootedAt: Int64 = 0

    public init() {}

    /// Memory that is left before the kernel has to take pages in use: what `memory.available` is compared with.
    public var memoryAvailableBytes: UInt64? {
        guard let total = memory?.totalBytes, let needed = usage.memoryWorkingSetBytes else { return nil }
        return total > needed ? total - needed : 0
    }

    static func read(_ scope: UsageReport.Scope) -> NodeUsage {
        var node = NodeUsage()
        node.processors = ProcFS.processorCount()
        if let text = try? FileSystem.readText("/proc/stat", limit: 16 << 20) {
            node.usage.cpuUsageNanoseconds = busyNanoseconds(text)
            node.bootedAt = ProcFS.bootTime(parsing: text) ?? 0
        }
        node.memory = try? ProcFS.memory()
        if let memory = node.memory { node.take(memory) }
        guard case .everything = scope else { return node }
        if let text = try? FileSystem.readText("/proc/vmstat") { node.takeFaults(text) }
        node.usage.cpuPressure = (try? PressureStallInformation.system(.cpu)) ?? nil
        node.usage.memoryPressure = (try? PressureStallInformation.system(.memory)) ?? nil
        node.usage.ioPressure = (try? PressureStallInformation.system(.io)) ?? nil
        if let text = try? FileSystem.readText("/proc/diskstats", limit: 16 << 20) {
            node.usage.io = DiskStatistics.parse(text).filter(\.isWhole).map(\.usage)
        }
        node.processLimit = (try? FileSystem.readText("/proc/sys/kernel/pid_max"))
            .flatMap { UInt64($0.prefix { $0 != "\n" }) }
        node.processCount = (try? ProcFS.loadAverage()).map { UInt64(clamping: $0.tasks) }
        node.usage.pidsCurrent = node.processCount
        node.agent = ProcessUsage.read(bootedAt: node.bootedAt)
        node.primaryInterface = (try? FileSystem.readText("/proc/net/route")).flatMap(defaultRouteInterface)
        return node
    }

    private mutating func take(_ memory: ProcFS.MemoryInformation) {
        usage.memoryUsageBytes = memory.totalBytes > memory.freeBytes ? memory.totalBytes - memory.freeBytes : 0
        usage.memoryInactiveFileBytes = memory.inactiveFileBytes
        usage.memoryRSSBytes = memory.anonymousBytes
        usage.memoryCacheBytes = memory.cachedBytes
        usage.memorySwapBytes =
            memory.swapTotalBytes > memory.swapFreeBytes ? memory.swapTotalBytes - memory.swapFreeBytes : 0
    }

    private mutating func takeFaults(_ text: String) {
        for line in text.split(separator: "\n") {
            if line.hasPrefix("pgfault ") { usage.pageFaults = UInt64(line.dropFirst(8)) }
            if line.hasPrefix("pgmajfault ") { usage.majorPageFaults = UInt64(line.dropFirst(11)) }
        }
    }

    /// The first line: user nice system idle iowait irq softirq steal, in hundredths of a second (USER_HZ).
    static func busyNanoseconds(_ text: String) -> UInt64? {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
        let ticks = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
        guard ticks.count >= 5 else { return nil }
        let busy = ticks.prefix(8).reduce(0, &+) &- ticks[3] &- ticks[4]
        return busy &* 10_000_000
    }

    /// /proc/net/route: interface, destination, … in hexadecimal; the default route's destination is 0.
    static func defaultRouteInterface(_ text: String) -> String? {
        for line in text.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: "\t")
            if fields.count > 7, fields[1] == "00000000", fields[7] == "00000000" { return String(fields[0]) }
        }
        return nil
    }
}

/// A process's own use.
public struct ProcessUsage: Hashable, Sendable {
    public var residentBytes: UInt64
    public var virtualBytes: UInt64
    public var cpuNanoseconds: UInt64
    /// Seconds since 1970.
    public var startedAt: Double
    public var openDescriptors: Int

    /// Of this process.
    public static func read(bootedAt: Int64) -> ProcessUsage? {
        guard let memory = try? FileSystem.readText("/proc/self/statm"),
            let stat = try? FileSystem.readText("/proc/self/stat"), let end = stat.lastIndex(of: ")")
        else { return nil }
        let pages = memory.split(separator: " ").prefix(2).compactMap { UInt64($0) }
        // After the command name: state is field 3, utime and stime are 14 and 15, in hundredths of a second.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard pages.count == 2, fields.count > 19, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else {
            return nil
        }
        return ProcessUsage(
            residentBytes: pages[1] &* pageSize, virtualBytes: pages[0] &* pageSize,
            cpuNanoseconds: (user &+ system) &* 10_000_000,
            startedAt: Double(bootedAt) + (Double(fields[19]) ?? 0) / 100,
            openDescriptors: (try? FileSystem.list("/proc/self/fd").count) ?? 0)
    }

    private static var pageSize: UInt64 { UInt64(clamping: sysconf(Int32(_SC_PAGESIZE))) }
}
