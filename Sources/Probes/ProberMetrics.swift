import KubernetesAPI

/// How often and how fast the probes of one container ran, over all its instances.
public struct ProberMetrics: Hashable, Sendable {
    /// Upper bounds in seconds of `durationBuckets`.
    public static let durationBounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    public let podUID: String
    public let podNamespace: String
    public let podName: String
    public let containerName: String
    public let kind: ProbeKind
    /// `prober_probe_total{result="successful"}`.
    public private(set) var successful: UInt64 = 0
    /// `prober_probe_total{result="failed"}`.
    public private(set) var failed: UInt64 = 0
    /// `prober_probe_total{result="unknown"}`: runs that could not be made.
    public private(set) var unknown: UInt64 = 0
    /// `prober_probe_duration_seconds`: successful runs up to each bound but above the one before; the last is above all.
    public private(set) var durationBuckets = [UInt64](repeating: 0, count: durationBounds.count + 1)
    /// Seconds.
    public private(set) var durationSum: Double = 0

    init(kind: ProbeKind, target: ProbeTarget) {
        podUID = target.podUID
        podNamespace = target.podNamespace
        podName = target.podName
        containerName = target.container.name
        self.kind = kind
    }

    mutating func count(_ outcome: ProbeOutcome, took duration: Duration) {
        switch outcome {
        case .success, .warning:
            successful &+= 1
            let seconds = duration / .seconds(1)
            durationBuckets[Self.durationBounds.firstIndex { seconds <= $0 } ?? Self.durationBounds.count] &+= 1
            durationSum += seconds
        case .failure: failed &+= 1
        case .error: unknown &+= 1
        }
    }
}
