public import KubernetesAPI

/// How little of something may be left before pods are evicted for it.
public struct EvictionThreshold: Hashable, Sendable {
    /// An amount, or a share of what there is.
    public enum Value: Hashable, Sendable {
        case quantity(Quantity)
        /// 0 to 1, in the precision that kubelet has: messages show the same numbers.
        case share(Float)

        func amount(of capacity: Int64) -> Int64 {
            switch self {
            case .quantity(let quantity): quantity.value
            case .share(let share): Int64(clamping: Int128(Double(max(0, capacity)) * Double(share)))
            }
        }
    }

    public var signal: EvictionSignal
    public var value: Value
    /// Zero for a hard threshold; a soft one counts once it has been met for so long.
    public var gracePeriod: Duration
    /// How much more than the threshold must be free before it is over.
    public var minimumReclaim: Value?

    public init(
        _ signal: EvictionSignal, _ value: Value, gracePeriod: Duration = .zero, minimumReclaim: Value? = nil
    ) {
        self.signal = signal
        self.value = value
        self.gracePeriod = gracePeriod
        self.minimumReclaim = minimumReclaim
    }

    public var isHard: Bool { gracePeriod == .zero }

    /// Whether too little is there.
    ///
    /// - Parameter withReclaim: also while the minimum reclaim has not been reached.
    func isMet(by observation: EvictionObservation, withReclaim: Bool) -> Bool {
        var amount = value.amount(of: observation.capacity)
        if withReclaim, let minimumReclaim {
            let (sum, overflow) = amount.addingReportingOverflow(minimumReclaim.amount(of: observation.capacity))
            amount = overflow ? .max : sum
        }
        return amount > observation.available
    }

    /// The threshold as an amount, for people.
    func quantity(of observation: EvictionObservation) -> Quantity {
        switch value {
        case .quantity(let quantity): quantity
        case .share: .bytes(value.amount(of: observation.capacity))
        }
    }
}

/// How much of something there is, and is left, at one moment: bytes, inodes or processes.
public struct EvictionObservation: Hashable, Sendable {
    public var available: Int64
    public var capacity: Int64

    public init(available: Int64, capacity: Int64) {
        self.available = available
        self.capacity = capacity
    }
}

extension PodAdmission.Pressure {
    /// What a node of Kubernetes says while it has the condition.
    var message: String {
        switch self {
        case .memory: "kubelet has insufficient memory available"
        case .disk: "kubelet has disk pressure"
        case .pid: "kubelet has insufficient PID available"
        }
    }
}
