/// A limit that was asked for and that this host cannot enforce.
public struct CgroupShortfall: Hashable, Sendable, CustomStringConvertible {
    public enum Resource: String, Hashable, Sendable {
        case cpuShares = "CPU shares"
        case cpuQuota = "CPU limit"
        case memoryLimit = "memory limit"
        case swapLimit = "swap limit"
        case oomGroup = "group out-of-memory kill"
        case pidsLimit = "process limit"
        case memoryProtection = "memory protection"
        case memoryThrottling = "memory throttling"
        case hugePages = "huge page limit"
        case cpuSet = "CPU pinning"
        case devices = "the list of devices"
        case ioWeight = "disk weight"
    }

    public let resource: Resource
    public let controller: CgroupController
    /// One line: what is missing on the host.
    public let reason: String

    public init(resource: Resource, controller: CgroupController, reason: String) {
        self.resource = resource
        self.controller = controller
        self.reason = reason
    }

    /// One line fit for an event: `memory limit is not enforced: …`.
    public var description: String { "\(resource.rawValue) is not enforced: \(reason)" }
}
