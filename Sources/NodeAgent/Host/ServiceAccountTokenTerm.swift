import KubernetesAPI

/// A token, and how long it is good: decides when it is time for the next one. Pure.
struct ServiceAccountTokenTerm: Hashable, Sendable {
    let token: String
    let expiresAt: Timestamp
    /// What the server granted, in seconds.
    let lifeSeconds: Int64

    /// However long a token is good, the next one is asked for after a day.
    static let longestUseSeconds: Int64 = 24 * 60 * 60
    /// Tokens of many pods that were asked for together are not renewed in the same instant.
    static let largestJitterSeconds: Int64 = 10

    init(token: String, expiresAt: Timestamp, lifeSeconds: Int64) {
        self.token = token
        self.expiresAt = expiresAt
        self.lifeSeconds = max(0, lifeSeconds)
    }

    func isExpired(at now: Timestamp) -> Bool { expiresAt.seconds <= now.seconds }

    /// Seconds from `now` until the next token should be asked for; zero or less when it is time.
    ///
    /// - Parameter jitter: 0..<1.
    func secondsUntilRenewal(at now: Timestamp, jitter: Double) -> Int64 {
        let (life, spread) = (lifeSeconds, Int64(jitter * Double(Self.largestJitterSeconds)))
        // A fifth of its life is left.
        let use = min(life - life / 5, Self.longestUseSeconds)
        let (issuedAt, _) = expiresAt.seconds.subtractingReportingOverflow(life)
        let (due, _) = issuedAt.addingReportingOverflow(use - spread)
        return due.subtractingReportingOverflow(now.seconds).partialValue
    }
}
