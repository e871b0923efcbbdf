/// Delays between restarts of crashing containers, or tries of a failing image: none, 10 s, 20 s, … up to 300 s, forgotten
/// after ten minutes without a failure. Times are a monotonic clock's.
public struct RestartBackOff: Hashable, Sendable {
    /// kubelet's MaxContainerBackOff and initial period.
    public static let initialDelay = Duration.seconds(10)
    public static let maximumDelay = Duration.seconds(300)
    public static let resetAfter = Duration.seconds(600)

    private struct Entry: Hashable {
        var delay: Duration
        var updatedAt: Duration
    }

    private var entries: [String: Entry] = [:]

    public init() {}

    /// When the next try may be made, after a failure that was noticed at `failedAt`; nil when at once.
    public func blockedUntil(_ key: String, failedAt: Duration, now: Duration) -> Duration? {
        guard let entry = entries[key], now - entry.updatedAt < Self.resetAfter + entry.delay else { return nil }
        let until = failedAt + entry.delay
        return until > now ? until : nil
    }

    /// A try is being made: the next failure waits longer.
    public mutating func recordTry(_ key: String, now: Duration) {
        guard var entry = entries[key], now - entry.updatedAt < Self.resetAfter + entry.delay else {
            entries[key] = Entry(delay: Self.initialDelay, updatedAt: now)
            return
        }
        entry.delay = min(entry.delay * 2, Self.maximumDelay)
        entry.updatedAt = now
        entries[key] = entry
    }

    /// After the agent's own restart: what `tries` restarts have brought the delay to.
    public mutating func restore(_ key: String, tries: UInt32, now: Duration) {
        guard tries > 0, entries[key] == nil else { return }
        let delay = Self.initialDelay * (1 << Int(min(tries - 1, 5)))
        entries[key] = Entry(delay: min(delay, Self.maximumDelay), updatedAt: now)
    }

    /// The delay in force, for messages.
    public func delay(_ key: String) -> Duration { entries[key]?.delay ?? .zero }

    public mutating func forget(_ key: String) { entries[key] = nil }
}
