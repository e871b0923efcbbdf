import KubernetesAPI

/// When this node evicts pods to protect itself.
public struct EvictionConfiguration: Hashable, Sendable {
    public var thresholds: [EvictionThreshold]
    /// How long a condition is shown after it was last seen, so that it does not flicker.
    public var pressureTransitionPeriod: Duration
    /// The most a pod gets to end at a soft threshold.
    public var maximumPodGracePeriodSeconds: Int64

    public init(
        thresholds: [EvictionThreshold] = EvictionConfiguration.defaultHard,
        pressureTransitionPeriod: Duration = .seconds(300), maximumPodGracePeriodSeconds: Int64 = 0
    ) {
        self.thresholds = thresholds
        self.pressureTransitionPeriod = pressureTransitionPeriod
        self.maximumPodGracePeriodSeconds = maximumPodGracePeriodSeconds
    }

    /// kubelet's on Linux.
    public static let defaultHard = [
        EvictionThreshold(.memoryAvailable, .quantity(.bytes(100 << 20))),
        EvictionThreshold(.nodefsAvailable, .share(0.1)),
        EvictionThreshold(.nodefsInodesFree, .share(0.05)),
        EvictionThreshold(.imagefsAvailable, .share(0.15)),
        EvictionThreshold(.imagefsInodesFree, .share(0.05)),
    ]

    /// Memory that pods cannot count on, in bytes: the hard threshold for it. Zero without one.
    ///
    /// - Parameter capacity: of the machine, in bytes.
    public func hardMemoryBytes(of capacity: Int64) -> Int64 { hard(.memoryAvailable, of: capacity) }

    /// Disk space that pods cannot count on, in percent of what there is.
    public func hardStoragePercent(of capacity: Int64) -> Int64 {
        guard capacity > 0 else { return 0 }
        return Int64((Double(hard(.nodefsAvailable, of: capacity)) / Double(capacity) * 100).rounded())
    }

    private func hard(_ signal: EvictionSignal, of capacity: Int64) -> Int64 {
        thresholds.filter { $0.signal == signal && $0.isHard }.map { $0.value.amount(of: capacity) }.max() ?? 0
    }
}
