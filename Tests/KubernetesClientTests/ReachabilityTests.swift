import Synchronization
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Whether the server answers", .timeLimit(.minutes(5)))
struct ReachabilityTests {
    /// A time that moves when told to.
    private final class Now: Sendable {
        private let instant = Mutex(ContinuousClock().now)
        var value: ContinuousClock.Instant { instant.withLock { $0 } }
        func advance(by duration: Duration) { instant.withLock { $0 += duration } }
    }

    @Test("only an answer after none is a return")
    func returns() {
        let reachability = Reachability()
        let first = reachability.generation
        reachability.answered()
        #expect(reachability.generation == first)
        reachability.failed()
        reachability.failed()
        #expect(reachability.generation == first)
        reachability.answered()
        let second = reachability.generation
        #expect(second != first)
        reachability.answered()
        #expect(reachability.generation == second)
    }

    @Test("a server that answers every other request returns every five seconds")
    func flapping() {
        let now = Now()
        let reachability = Reachability(now: { now.value })
        var (seen, returns) = (reachability.generation, 0)
        for _ in 0..<200 {
            reachability.failed()
            reachability.answered()
            if reachability.generation != seen { (seen, returns) = (reachability.generation, returns + 1) }
            now.advance(by: .milliseconds(100))
        }
        #expect(returns == 4)
    }

    @Test("a wait for a server that is away ends when it is back")
    func waitEnds() async {
        let (reachability, clock) = (Reachability(), ManualClock())
        let generation = reachability.generation
        reachability.failed()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await reachability.pause(.seconds(10), after: generation, clock: clock) }
            await clock.waitForSleeper { $0 == .seconds(10) }
            reachability.answered()
            await group.waitForAll()
        }
        #expect(clock.now.offset == .zero)
    }

    @Test("a return between the failure and the wait is not missed")
    func noLostReturn() async {
        let (reachability, clock) = (Reachability(), ManualClock())
        let generation = reachability.generation
        reachability.failed()
        reachability.answered()
        await reachability.pause(.seconds(10), after: generation, clock: clock)
        #expect(clock.now.offset == .zero)
    }

    @Test("what a server that answers has asked to wait is waited")
    func refusalIsWaitedOut() async {
        let (reachability, clock) = (Reachability(), ManualClock())
        let generation = reachability.generation
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await reachability.pause(.seconds(10), after: generation, clock: clock) }
            await clock.waitForSleeper { $0 == .seconds(10) }
            clock.advance(by: .seconds(10))
            await group.waitForAll()
        }
        #expect(clock.now.offset == .seconds(10))
    }
}
