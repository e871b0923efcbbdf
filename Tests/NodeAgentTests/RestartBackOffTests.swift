import NodeAgent
import Testing

struct RestartBackOffTests {
    @Test("the first failure does not wait")
    func first() {
        let backOff = RestartBackOff()
        #expect(backOff.blockedUntil("a", failedAt: .zero, now: .zero) == nil)
        #expect(backOff.delay("a") == .zero)
    }

    @Test("each try doubles the delay, up to five minutes")
    func doubling() {
        var backOff = RestartBackOff()
        var now = Duration.zero
        for seconds in [10, 20, 40, 80, 160, 300, 300, 300] {
            backOff.recordTry("a", now: now)
            #expect(backOff.delay("a") == .seconds(seconds))
            #expect(backOff.blockedUntil("a", failedAt: now, now: now) == now + .seconds(seconds))
            now += .seconds(seconds)
            #expect(backOff.blockedUntil("a", failedAt: now - .seconds(seconds), now: now) == nil)
        }
    }

    @Test("the delay counts from the failure, not from the try")
    func fromFailure() {
        var backOff = RestartBackOff()
        backOff.recordTry("a", now: .zero)
        #expect(backOff.blockedUntil("a", failedAt: .seconds(100), now: .seconds(101)) == .seconds(110))
    }

    @Test(
        "a failure more than ten minutes after the try is a first one",
        arguments: [(600, 20), (601, 10), (5000, 10)])
    func reset(after: Int, expected: Int) {
        var backOff = RestartBackOff()
        backOff.recordTry("a", now: .zero)
        let failedAt = Duration.seconds(after)
        #expect((backOff.blockedUntil("a", failedAt: failedAt, now: failedAt) == nil) == (after > 600))
        // The delay that was waited for in between does not count as running.
        backOff.recordTry("a", failedAt: failedAt, now: failedAt + .seconds(10))
        #expect(backOff.delay("a") == .seconds(expected))
    }

    @Test("containers do not share delays, and one is forgotten alone")
    func keys() {
        var backOff = RestartBackOff()
        backOff.recordTry("a", now: .zero)
        #expect(backOff.blockedUntil("b", failedAt: .zero, now: .zero) == nil)
        backOff.recordTry("b", now: .zero)
        backOff.forget("a")
        #expect(backOff.delay("a") == .zero)
        #expect(backOff.delay("b") == .seconds(10))
    }

    @Test(
        "after the agent's own restart the delay is what the tries had brought it to",
        arguments: [(0, 0), (1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 300), (7, 300), (.max, 300)]
            as [(UInt32, Int)])
    func restore(tries: UInt32, seconds: Int) {
        var backOff = RestartBackOff()
        backOff.restore("a", tries: tries, now: .zero)
        #expect(backOff.delay("a") == .seconds(seconds))
        var recorded = RestartBackOff()
        for _ in 0..<min(tries, 8) { recorded.recordTry("a", now: .zero) }
        #expect(recorded == backOff)
    }

    @Test("what is remembered is not overwritten by what is restored")
    func restoreKeeps() {
        var backOff = RestartBackOff()
        backOff.recordTry("a", now: .zero)
        backOff.restore("a", tries: 6, now: .zero)
        #expect(backOff.delay("a") == .seconds(10))
    }

    @Test("without a time of the failure the delay counts from the last try, and ends")
    func withoutFailureTime() {
        var backOff = RestartBackOff()
        backOff.recordTry("a", now: .seconds(5))
        #expect(backOff.blockedUntil("a", failedAt: nil, now: .seconds(14)) == .seconds(15))
        #expect(backOff.blockedUntil("a", failedAt: nil, now: .seconds(15)) == nil)
    }

    @Test(
        "a longest delay below ten seconds is the first one too",
        arguments: [(0, 1, 1), (4, 4, 4), (15, 10, 15), (900, 10, 20)])
    func configured(maximum: Int, first: Int, second: Int) {
        var backOff = RestartBackOff(maximumDelay: .seconds(maximum))
        backOff.recordTry("a", now: .zero)
        #expect(backOff.delay("a") == .seconds(first))
        backOff.recordTry("a", now: .zero)
        #expect(backOff.delay("a") == .seconds(second))
    }

    @Test("keys that are not used any more do not pile up")
    func prune() {
        var backOff = RestartBackOff()
        backOff.recordTry("old image", now: .zero)
        backOff.recordTry("a", now: .seconds(900))
        #expect(backOff.delay("old image") == .seconds(10))
        backOff.recordTry("a", now: .seconds(901))
        #expect(backOff.delay("old image") == .zero)
    }
}
