/// How long to wait before trying again: exponential, spread, bounded, and never sooner than the server asked.
///
/// A pure value: the caller owns the clock and the randomness.
public struct RetryPolicy: Sendable, Hashable {
    /// Wait before the first retry.
    public var initialDelay: Duration
    /// Upper bound of the exponential curve.
    public var maximumDelay: Duration
    /// Growth per attempt.
    public var factor: Double
    /// Full width of the spread as a share of the delay: 0.5 spreads over ±25 %.
    public var jitter: Double
    /// The longest `Retry-After` believed; a server asking for a day would silence the node.
    public var maximumRetryAfter: Duration
    /// A success that lasted this long starts the curve again.
    public var resetAfter: Duration

    public init(
        initialDelay: Duration, maximumDelay: Duration, factor: Double = 2, jitter: Double = 0.5,
        maximumRetryAfter: Duration = .seconds(300), resetAfter: Duration = .seconds(120)
    ) {
        self.initialDelay = initialDelay
        self.maximumDelay = maximumDelay
        self.factor = factor
        self.jitter = jitter
        self.maximumRetryAfter = maximumRetryAfter
        self.resetAfter = resetAfter
    }

    /// For list and watch: 800 ms doubling to 8 s, 10 with the spread, so that a node knows the truth soon after its endpoint is back.
    public static let watch = RetryPolicy(initialDelay: .milliseconds(800), maximumDelay: .seconds(8))

    /// - Parameters:
    ///   - attempt: 0 for the first retry.
    ///   - retryAfterSeconds: what the server asked for.
    ///   - random: uniform in 0..<1.
    public func delay(attempt: Int, retryAfterSeconds: Int? = nil, random: Double) -> Duration {
        var base = initialDelay
        var step = 0
        while step < attempt, base < maximumDelay {
            base = base * factor
            step += 1
        }
        base = min(base, maximumDelay)
        let spread = base * (1 + jitter * (random - 0.5))
        guard let retryAfterSeconds, retryAfterSeconds > 0 else { return spread }
        // Added, not substituted: many clients told the same second must not come back in the same instant.
        let asked = min(Duration.seconds(retryAfterSeconds), maximumRetryAfter)
        return max(spread, asked + initialDelay * (jitter * random))
    }
}

/// One retried activity's place on the curve of a `RetryPolicy`.
public struct Backoff: Sendable, Hashable {
    public let policy: RetryPolicy
    /// Failures since the last reset.
    public private(set) var attempt = 0

    public init(policy: RetryPolicy) { self.policy = policy }

    /// The wait before the next try; moves one step up the curve.
    public mutating func failed(retryAfterSeconds: Int? = nil, random: Double) -> Duration {
        let delay = policy.delay(attempt: attempt, retryAfterSeconds: retryAfterSeconds, random: random)
        attempt = min(attempt + 1, 1_000)
        return delay
    }

    /// The activity works again: the next failure starts at the bottom of the curve.
    public mutating func reset() { attempt = 0 }
}
