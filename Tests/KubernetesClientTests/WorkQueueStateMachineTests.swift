import Testing

@testable import KubernetesClient

@Suite("Work queue machine")
struct WorkQueueStateMachineTests {
    private var queue = WorkQueueStateMachine<String>(
        policy: RetryPolicy(initialDelay: .seconds(1), maximumDelay: .seconds(8)))

    @Test("a key added often is worked on once, in the order of the first adds")
    mutating func dedup() {
        for key in ["a", "b", "a", "b", "c"] { queue.add(key) }
        #expect(queue.next(now: .zero) == .work("a"))
        #expect(queue.next(now: .zero) == .work("b"))
        #expect(queue.next(now: .zero) == .work("c"))
        #expect(queue.next(now: .zero) == .idle(until: nil))
    }

    @Test("a key added while worked on runs again afterwards, and only once at a time")
    mutating func addedWhileWorking() {
        queue.add("a")
        #expect(queue.next(now: .zero) == .work("a"))
        queue.add("a")
        queue.add("a")
        #expect(queue.next(now: .zero) == .idle(until: nil))
        let runsAgain = queue.done("a")
        #expect(runsAgain)
        #expect(queue.next(now: .zero) == .work("a"))
        let runsOnceMore = queue.done("a")
        #expect(!runsOnceMore)
        #expect(queue.next(now: .zero) == .idle(until: nil))
        #expect(queue.count == 0)
    }

    @Test("a delayed key waits for its time; the earlier of two times stands; an immediate add overtakes both")
    mutating func delayed() {
        queue.add("a", due: .seconds(5))
        queue.add("a", due: .seconds(9))
        queue.add("b", due: .seconds(3))
        #expect(queue.next(now: .seconds(2)) == .idle(until: .seconds(3)))
        queue.add("a")
        #expect(queue.next(now: .seconds(2)) == .work("a"))
        _ = queue.done("a")
        #expect(queue.next(now: .seconds(3)) == .work("b"))
        #expect(queue.next(now: .seconds(100)) == .idle(until: nil))
    }

    @Test("each key has its own back-off, bounded, until it is forgotten")
    mutating func rateLimited() {
        for expected in [1, 2, 4, 8, 8] {
            queue.addRateLimited("a", retryAfterSeconds: nil, now: .zero, random: 0.5)
            #expect(queue.next(now: .zero) == .idle(until: .seconds(expected)))
            #expect(queue.next(now: .seconds(expected)) == .work("a"))
            _ = queue.done("a")
        }
        queue.addRateLimited("b", retryAfterSeconds: nil, now: .zero, random: 0.5)
        #expect(queue.next(now: .zero) == .idle(until: .seconds(1)))
        queue.forget("a")
        queue.addRateLimited("a", retryAfterSeconds: nil, now: .zero, random: 0.5)
        #expect(queue.failureCount("a") == 1)
    }

    @Test("after shutdown nothing is handed out or accepted")
    mutating func shutdown() {
        queue.add("a")
        queue.shutDown()
        queue.add("b")
        #expect(queue.next(now: .zero) == .shutDown)
        #expect(queue.count == 0)
    }

    @Test("many keys pass through without being lost or repeated")
    mutating func many() {
        for key in 0..<1_000 { queue.add("\(key)") }
        var seen: [String] = []
        while case .work(let key) = queue.next(now: .zero) {
            seen.append(key)
            _ = queue.done(key)
        }
        #expect(seen == (0..<1_000).map(String.init))
    }
}
