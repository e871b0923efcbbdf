/// One of those that take turns.
struct Contender: Sendable {
    let subject: String
    /// Does the work once and gives the time it took, without the contender's own preparations.
    let run: @Sendable () async throws -> Duration

    init(_ subject: String, _ run: @escaping @Sendable () async throws -> Duration) {
        self.subject = subject
        self.run = run
    }

    /// Everything in `body` counts.
    static func timed(_ subject: String, _ body: @escaping @Sendable () async throws -> Void) -> Contender {
        Contender(subject) { try await ContinuousClock().measure { try await body() } }
    }
}
