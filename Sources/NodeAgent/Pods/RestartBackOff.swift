/// Delays between restarts of crashing containers, or tries of a failing image: none, 10 s, 20 s, … up to 300 s,
/// forgotten once a container has run for ten minutes. Times are a monotonic clock's.
public struct RestartBackOff: Hashable, Sendable {
    /// kubelet's initial period and MaxContainerBackOff.
    public static let initialDelay = Duration.seconds(10)
    public static let maximumDelay = Duration.seconds(300)
    /// A failure this long after the last try is a first failure again.
    public static let resetAfter = Duration.seconds(600)

    private struct Entry: Hashable {
        var delay: Duration
        /// The last try.
        var updatedAt: Duration
    }

    private let initial: Duration
    private let maximum: Duration
    private var entries: [String: Entry] = [:]

    /// - Parameter maximumDelay: `crashLoopBackOff.maxContainerRestartPeriod`, 1 s to 300 s; below 10 s it is the first
    ///   delay too.
    public init(maximumDelay: Duration = Self.maximumDelay) {
        maximum = min(max(maximumDelay, .seconds(1)), Self.maximumDelay)
        initial = min(Self.initialDelay, maximum)
    }

    /// When the next try may be made after a failure; nil when at once.
    ///
    /// - Parameter failedAt: when the failure was noticed; nil counts from the last try.
    public func blockedUntil(_ key: String, failedAt: Duration?, now: Duration) -> Duration? {
        guard let entry = entries[key] else { return nil }
        let failedAt = failedAt ?? entry.updatedAt
        guard !Self.isForgotten(entry, failedAt: failedAt) else { return nil }
        let until = failedAt + entry.delay
        return until > now ? until : nil
    }

    /// A try is being made: the next failure waits longer.
    ///
    /// - Parameter failedAt: when the failure before this try was noticed, as in ``blockedUntil(_:failedAt:now:)``; nil
    ///   for now.
    public mutating func recordTry(_ key: String, failedAt: Duration? = nil, now: Duration) {
        // Keys of images and resources that a container had once do not pile up.
        entries = entries.filter { $0.key == key || now - $0.value.updatedAt <= Self.resetAfter + Self.maximumDelay }
        guard var entry = entries[key], !Self.isForgotten(entry, failedAt: failedAt ?? now) else {
            entries[key] = Entry(delay: initial, updatedAt: now)
            return
        }
        entry.delay = min(entry.delay * 2, maximum)
        entry.updatedAt = now
        entries[key] = entry
    }

    /// After the agent's own restart: what `tries` restarts have brought the delay to.
    public mutating func restore(_ key: String, tries: UInt32, now: Duration) {
        guard tries > 0, entries[key] == nil else { return }
        // 2^9 times the shortest first delay is past the longest delay.
        let delay = initial * (1 << Int(min(tries - 1, 9)))
        entries[key] = Entry(delay: min(delay, maximum), updatedAt: now)
    }

    /// The delay in force, for messages.
    public func delay(_ key: String) -> Duration { entries[key]?.delay ?? .zero }

    public mutating func forget(_ key: String) { entries[key] = nil }

    private static func isForgotten(_ entry: Entry, failedAt: Duration) -> Bool {
        failedAt - entry.updatedAt > resetAfter
    }
}
