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

    @Test("ten quiet minutes on top of the delay forget it", arguments: [(609, 20), (610, 10), (5000, 10)])
    func reset(after: Int, expected: Int) {
        var backOff = RestartBackOff()
        backOff.recordTry("a", now: .zero)
        let now = Duration.seconds(after)
        #expect((backOff.blockedUntil("a", failedAt: now, now: now) == nil) == (after >= 610))
        backOff.recordTry("a", now: now)
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
}
