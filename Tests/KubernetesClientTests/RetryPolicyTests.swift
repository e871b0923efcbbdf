import Testing

@testable import KubernetesClient

@Suite("Retry policy")
struct RetryPolicyTests {
    @Test(
        "the watch curve doubles from 800 ms and stops at 8 s",
        arguments: zip([0, 1, 2, 3, 4, 5, 6, 1_000_000], [800, 1_600, 3_200, 6_400, 8_000, 8_000, 8_000, 8_000]))
    func curve(attempt: Int, milliseconds: Int) {
        #expect(RetryPolicy.watch.delay(attempt: attempt, random: 0.5) == .milliseconds(milliseconds))
    }

    @Test("randomness spreads a delay by a quarter either way and no further")
    func spread() {
        #expect(RetryPolicy.watch.delay(attempt: 0, random: 0) == .milliseconds(600))
        #expect(RetryPolicy.watch.delay(attempt: 0, random: 0.999) < .seconds(1))
    }

    @Test("a Retry-After is never undercut, and one of a day is not believed")
    func retryAfter() {
        #expect(RetryPolicy.watch.delay(attempt: 0, retryAfterSeconds: 7, random: 0) == .seconds(7))
        #expect(RetryPolicy.watch.delay(attempt: 6, retryAfterSeconds: 7, random: 0.5) == .seconds(8))
        #expect(RetryPolicy.watch.delay(attempt: 0, retryAfterSeconds: 86_400, random: 0) == .seconds(300))
        #expect(RetryPolicy.watch.delay(attempt: 0, retryAfterSeconds: -5, random: 0.5) == .milliseconds(800))
    }

    @Test("a success starts the curve again")
    func reset() {
        var backoff = Backoff(policy: .watch)
        #expect(backoff.failed(random: 0.5) == .milliseconds(800))
        #expect(backoff.failed(random: 0.5) == .milliseconds(1_600))
        backoff.reset()
        #expect(backoff.failed(random: 0.5) == .milliseconds(800))
    }
}
