/// Measured values of one kind, in the unit of their row.
struct Samples: Sendable {
    private let sorted: [Double]

    init(_ values: [Double]) {
        sorted = values.sorted()
    }

    var count: Int { sorted.count }
    var median: Double { percentile(0.5) }

    /// Linear between the two nearest values; 0 when there is none.
    func percentile(_ fraction: Double) -> Double {
        guard let last = sorted.last else { return 0 }
        let position = fraction * Double(sorted.count - 1)
        let below = Int(position)
        guard below >= 0, below + 1 < sorted.count else { return last }
        return sorted[below] + (sorted[below + 1] - sorted[below]) * (position - Double(below))
    }
}
