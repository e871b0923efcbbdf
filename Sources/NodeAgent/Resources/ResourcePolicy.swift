/// What the node makes of the resources that pods ask for, beside what they ask for themselves.
public struct ResourcePolicy: Hashable, Sendable {
    /// What containers may keep in swap.
    public enum SwapBehavior: String, Hashable, Sendable, CaseIterable {
        /// Nothing.
        case noSwap = "NoSwap"
        /// Burstable containers may keep as much of the node's swap as they asked for of its memory.
        case limitedSwap = "LimitedSwap"
    }

    /// What the kernel does for memory besides its limit (MemoryQoS); v2 only.
    public struct MemoryQuality: Hashable, Sendable {
        /// Where between request and limit a container is slowed down, 0 to 1.
        public var throttlingFactor: Double
        /// Whether requested memory is kept from being reclaimed: always for Guaranteed pods, as far as possible for
        /// Burstable ones.
        public var reservesMemory: Bool

        public init(throttlingFactor: Double = 0.9, reservesMemory: Bool = false) {
            self.throttlingFactor = throttlingFactor
            self.reservesMemory = reservesMemory
        }
    }

    /// pids.max of a pod; nil leaves it to the kernel.
    public var podPidsLimit: Int64?
    /// Whether limits of CPU time are enforced.
    public var enforcesCPULimits: Bool
    /// Whether an out-of-memory kill takes the whole container, not only a process of it.
    public var killsWholeContainer: Bool
    public var swap: SwapBehavior
    /// Nil does nothing beside the limit.
    public var memoryQuality: MemoryQuality?
    /// Shares of the disks by class; nil leaves them to the kernel, as a kubelet does.
    public var ioWeights: IOWeights?
    /// Whether Guaranteed containers with whole processors get them for themselves.
    public var pinsProcessors: Bool
    /// Those that no container gets for itself.
    public var reservedProcessors: CPUSet

    public init(
        podPidsLimit: Int64? = 4096, enforcesCPULimits: Bool = true, killsWholeContainer: Bool = true,
        swap: SwapBehavior = .noSwap, memoryQuality: MemoryQuality? = nil, pinsProcessors: Bool = false,
        reservedProcessors: CPUSet = CPUSet()
    ) {
        self.podPidsLimit = podPidsLimit
        self.enforcesCPULimits = enforcesCPULimits
        self.killsWholeContainer = killsWholeContainer
        self.swap = swap
        self.memoryQuality = memoryQuality
        self.pinsProcessors = pinsProcessors
        self.reservedProcessors = reservedProcessors
    }

    /// How pods of each class compete for disks. Weights against the 100 of everything else that has none.
    public struct IOWeights: Hashable, Sendable {
        /// Of each such pod.
        public var guaranteed: UInt64
        /// Of all such pods together.
        public var burstable: UInt64
        public var bestEffort: UInt64

        public init(guaranteed: UInt64 = 100, burstable: UInt64 = 100, bestEffort: UInt64 = 100) {
            self.guaranteed = guaranteed
            self.burstable = burstable
            self.bestEffort = bestEffort
        }
    }
}
