/// Decides, from what is left of memory, disk and process ids, in which conditions the node is and what is to be reclaimed now. Pure.
///
/// A threshold counts from when it is met until so much more is free as its minimum reclaim says; soft ones count once they have been
/// met for their grace period. A condition is shown for the transition period after it was last seen.
struct EvictionDecision {
    struct Outcome: Hashable {
        var conditions: Set<PodAdmission.Pressure>
        /// What has to be freed first; nil when nothing has.
        var reclaim: Shortage?
        /// All that is met, whatever its grace.
        var shortages: [Shortage]
    }

    /// A threshold that is met, and by what.
    struct Shortage: Hashable {
        var threshold: EvictionThreshold
        var observation: EvictionObservation
    }

    let configuration: EvictionConfiguration
    /// Of the last look, their grace over: they stay until their minimum reclaim is reached.
    private var held: [EvictionThreshold] = []
    private var firstMet: [EvictionThreshold: Duration] = [:]
    private var lastSeen: [PodAdmission.Pressure: Duration] = [:]

    init(_ configuration: EvictionConfiguration) {
        self.configuration = configuration
    }

    /// - Parameters:
    ///   - observations: a signal that cannot be observed is never met.
    ///   - now: of a clock that does not jump.
    mutating func observe(_ observations: [EvictionSignal: EvictionObservation], now: Duration) -> Outcome {
        var met = Self.met(configuration.thresholds, observations, withReclaim: false)
        met += Self.met(held, observations, withReclaim: true).filter { !met.contains($0) }
        firstMet = Dictionary(met.map { ($0, firstMet[$0] ?? now) }) { first, _ in first }
        for threshold in met { lastSeen[threshold.signal.pressure] = now }
        lastSeen = lastSeen.filter { pressure, time in
            now - time < configuration.pressureTransitionPeriod
                || met.contains { $0.signal.pressure == pressure }
        }
        held = met.filter { threshold in now - (firstMet[threshold] ?? now) >= threshold.gracePeriod }
        // Memory first: without it nothing else can be done for long. The others in their order.
        let first = held.first { $0.signal.pressure == .memory } ?? held.first
        return Outcome(
            conditions: Set(lastSeen.keys), reclaim: first.flatMap { Self.shortage($0, observations) },
            shortages: met.compactMap { Self.shortage($0, observations) })
    }

    /// Whether nothing has to be freed any more, after something was: every minimum reclaim is reached.
    func isReclaimed(_ observations: [EvictionSignal: EvictionObservation]) -> Bool {
        Self.met(configuration.thresholds, observations, withReclaim: true).isEmpty
    }

    private static func shortage(
        _ threshold: EvictionThreshold, _ observations: [EvictionSignal: EvictionObservation]
    ) -> Shortage? {
        observations[threshold.signal].map { Shortage(threshold: threshold, observation: $0) }
    }

    private static func met(
        _ thresholds: [EvictionThreshold], _ observations: [EvictionSignal: EvictionObservation], withReclaim: Bool
    ) -> [EvictionThreshold] {
        thresholds.filter { threshold in
            observations[threshold.signal].map { threshold.isMet(by: $0, withReclaim: withReclaim) } ?? false
        }
    }
}
