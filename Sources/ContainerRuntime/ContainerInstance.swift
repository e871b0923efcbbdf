public import LinuxKernel
public import MonitorCore

/// Where a container stands.
public enum ContainerInstanceState: Hashable, Sendable {
    /// Cloned and being set up.
    case launching
    /// Set up, blocked before its first instruction.
    case created
    /// `startedAt`: nanoseconds since the epoch.
    case running(ProcessIdentity, startedAt: Int64)
    case exited(ExitRecord)

    /// Whether it is known what became of the launch.
    var isSettled: Bool {
        switch self {
        case .launching, .created: false
        case .running, .exited: true
        }
    }
}

/// A container as the runtime knows it.
public struct ContainerInstance: Hashable, Sendable {
    public let id: String
    public internal(set) var config: ContainerConfig
    /// Nanoseconds since the epoch.
    public let createdAt: Int64
    public var state: ContainerInstanceState
    /// Limits of the configuration that this host does not enforce.
    public var shortfalls: [CgroupShortfall]
    /// Why it never became its program, in words, when its exit record says so.
    public var failureMessage: String?

    public var metadata: ContainerMetadata { config.metadata }
    public var sandboxID: String { config.sandboxID }

    public var isRunning: Bool {
        if case .running = state { return true }
        return false
    }

    public var exitRecord: ExitRecord? {
        if case .exited(let record) = state { return record }
        return nil
    }
}

/// Something happened to a container; its new status is in the runtime.
public struct RuntimeEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case created, started, exited
    }

    public let containerID: String
    public let metadata: ContainerMetadata
    public let kind: Kind
}
