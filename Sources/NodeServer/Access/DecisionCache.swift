/// What was decided lately, for as long as it holds. Past its limit it forgets what is over, then what was decided longest ago.
struct DecisionCache<Key: Hashable & Sendable, Decision: Sendable>: Sendable {
    private struct Entry {
        let decision: Decision
        let end: ContinuousClock.Instant
        let number: UInt64
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    private var number: UInt64 = 0

    /// - Parameter limit: decisions that are kept, at least 2.
    init(limit: Int) {
        self.limit = max(2, limit)
    }

    var count: Int { entries.count }

    /// Nil when nothing was decided, or what was is over.
    func decision(for key: Key, at now: ContinuousClock.Instant) -> Decision? {
        guard let entry = entries[key], now < entry.end else { return nil }
        return entry.decision
    }

    mutating func keep(_ decision: Decision, for key: Key, at now: ContinuousClock.Instant, lasting time: Duration) {
        number += 1
        entries[key] = Entry(decision: decision, end: now + time, number: number)
        guard entries.count > limit else { return }
        entries = entries.filter { now < $0.value.end }
        // Half at once, so that the sort is paid for by those that filled the half.
        guard entries.count > limit else { return }
        for (key, _) in entries.sorted(by: { $0.value.number < $1.value.number }).prefix(limit / 2) {
            entries[key] = nil
        }
    }
}
