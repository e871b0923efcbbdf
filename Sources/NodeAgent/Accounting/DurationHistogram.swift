/// How long something took, by upper bounds in seconds.
public struct DurationHistogram: Hashable, Sendable {
    public let bounds: [Double]
    /// Of each bound what is not in a smaller one; the last holds the rest.
    public private(set) var buckets: [UInt64]
    /// Of all that was added, in seconds.
    public private(set) var sum = 0.0

    /// What Prometheus' clients take when nothing else is said.
    public static let usualBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    public init(bounds: [Double] = usualBounds) {
        self.bounds = bounds
        buckets = Array(repeating: 0, count: bounds.count + 1)
    }

    public var count: UInt64 { buckets.reduce(0, &+) }

    public mutating func add(_ duration: Duration) {
        let seconds = duration / .seconds(1)
        sum += seconds
        buckets[bounds.firstIndex { seconds <= $0 } ?? bounds.count] &+= 1
    }
}
