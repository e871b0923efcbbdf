public import LinuxKernel

/// What of the machine the values of a pod's cgroups depend on.
public struct MachineResources: Hashable, Sendable {
    /// All of its memory, in bytes as are the others.
    public var memoryBytes: Int64
    public var swapBytes: Int64
    /// What all pods together may use.
    public var allocatableMemoryBytes: Int64
    public var hugePages: [HugePagePool]

    public init(
        memoryBytes: Int64, swapBytes: Int64 = 0, allocatableMemoryBytes: Int64? = nil, hugePages: [HugePagePool] = []
    ) {
        self.memoryBytes = memoryBytes
        self.swapBytes = swapBytes
        self.allocatableMemoryBytes = allocatableMemoryBytes ?? memoryBytes
        self.hugePages = hugePages
    }
}
