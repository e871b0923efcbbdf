/// What a cgroup and everything below it used. A field is `nil` when the host cannot tell, or was not asked to.
public struct CgroupUsage: Hashable, Sendable {
    /// What is read besides CPU time and memory in use. Every file costs three system calls, and on v1 most figures are
    /// files of their own; v2 gives some without being asked.
    public struct Scope: OptionSet, Hashable, Sendable {
        public let rawValue: UInt16

        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// Limits of memory and swap.
        public static let limits = Scope(rawValue: 1)
        /// Limit hits and out-of-memory kills.
        public static let events = Scope(rawValue: 2)
        /// Periods of the CPU quota, of which there are none without one.
        public static let throttling = Scope(rawValue: 4)
        public static let pressure = Scope(rawValue: 8)
        public static let io = Scope(rawValue: 16)
        public static let tasks = Scope(rawValue: 32)
        public static let hugePages = Scope(rawValue: 64)
        /// Peak and kernel memory, limit of tasks: looked at rarely.
        public static let details = Scope(rawValue: 128)

        /// Those of the cgroup itself, not of what is below it.
        public static let processes = Scope(rawValue: 256)

        public static let cpuAndMemory: Scope = [.limits]
        public static let everything: Scope = [
            .limits, .events, .throttling, .pressure, .io, .tasks, .hugePages, .details, .processes,
        ]
    }

    public var cpuUsageNanoseconds: UInt64?
    public var cpuUserNanoseconds: UInt64?
    public var cpuSystemNanoseconds: UInt64?
    /// Enforcement periods of the CPU quota that passed, those the cgroup was throttled in, and for how long.
    public var cpuPeriods: UInt64?
    public var throttledPeriods: UInt64?
    public var throttledNanoseconds: UInt64?
    public var memoryUsageBytes: UInt64?
    /// The most ``memoryUsageBytes`` has been; not kept by v2 kernels before 5.19.
    public var memoryPeakBytes: UInt64?
    /// Anonymous memory.
    public var memoryRSSBytes: UInt64?
    /// Page cache, shared memory included.
    public var memoryCacheBytes: UInt64?
    public var memoryInactiveFileBytes: UInt64?
    /// File pages and shared memory mapped into processes.
    public var memoryMappedFileBytes: UInt64?
    /// Memory the kernel holds for the cgroup: stacks, page tables, slabs.
    public var memoryKernelBytes: UInt64?
    public var memorySwapBytes: UInt64?
    /// `nil` also when there is no limit of its own.
    public var memorySwapLimitBytes: UInt64?
    public var pageFaults: UInt64?
    public var majorPageFaults: UInt64?
    /// `nil` also when there is no limit.
    public var memoryLimitBytes: UInt64?
    /// How often the memory limit stood in the way.
    public var memoryLimitHits: UInt64?
    public var pidsCurrent: UInt64?
    /// `nil` also when there is no limit.
    public var pidsLimit: UInt64?
    /// Processes in the cgroup itself, each with all its threads: as many as fit into one read of the file, some 4,000.
    public var processCount: UInt64?
    /// Processes the kernel killed because the cgroup ran out of memory.
    public var oomKills: UInt64?
    /// By device, in the kernel's order.
    public var io: [DeviceIO]?
    /// Bytes of huge pages in use, by page size in bytes; sizes without use are left out.
    public var hugePageBytes: [UInt64: UInt64] = [:]
    public var cpuPressure: PressureStallInformation?
    public var memoryPressure: PressureStallInformation?
    public var ioPressure: PressureStallInformation?

    /// What was read from and written to one block device.
    public struct DeviceIO: Hashable, Sendable {
        public var major: UInt32
        public var minor: UInt32
        public var readBytes: UInt64 = 0
        public var writtenBytes: UInt64 = 0
        /// Numbers of operations.
        public var reads: UInt64 = 0
        public var writes: UInt64 = 0

        public init(major: UInt32, minor: UInt32) {
            self.major = major
            self.minor = minor
        }
    }

    public init() {}

    /// Usage without the file pages the kernel would drop first: what eviction and autoscaling compare with.
    public var memoryWorkingSetBytes: UInt64? {
        guard let usage = memoryUsageBytes else { return nil }
        let inactive = memoryInactiveFileBytes ?? 0
        return usage > inactive ? usage - inactive : 0
    }

    /// Of all devices.
    public var ioReadBytes: UInt64? { io?.reduce(0) { $0 &+ $1.readBytes } }
    public var ioWrittenBytes: UInt64? { io?.reduce(0) { $0 &+ $1.writtenBytes } }
}
