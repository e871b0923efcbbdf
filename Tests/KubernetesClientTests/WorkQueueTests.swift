import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Work queue", .timeLimit(.minutes(5)))
struct WorkQueueTests {
    @Test("a waiting worker gets a key when its time comes, and not before")
    func delayed() async {
        let clock = ManualClock()
        let queue = WorkQueue<String>(clock: clock)
        queue.add("late", after: .seconds(10))
        await withTaskGroup(of: String?.self) { group in
            group.addTask { await queue.next() }
            await clock.waitForSleeper { $0 == .seconds(10) }
            clock.advance(by: .seconds(10))
            #expect(await group.next() == "late")
        }
    }

    @Test("a waiting worker is woken by an add, by shutdown and by cancellation")
    func woken() async {
        let queue = WorkQueue<String>(clock: ManualClock())
        await withTaskGroup(of: String?.self) { group in
            group.addTask { await queue.next() }
            queue.add("now")
            #expect(await group.next() == .some("now"))
            queue.done("now")
            group.addTask { await queue.next() }
            group.cancelAll()
            #expect(await group.next() == .some(nil))
        }
        await withTaskGroup(of: String?.self) { group in
            group.addTask { await queue.next() }
            queue.shutDown()
            #expect(await group.next() == .some(nil))
        }
    }

    @Test("the loop works off keys with several workers and tries failures again")
    func loop() async {
        let clock = ManualClock()
        let queue = WorkQueue<String>(clock: clock, random: { 0.5 })
        let (ran, report) = AsyncStream<String>.makeStream()
        let loop = ControllerLoop(Flaky(report: report), queue: queue, logger: .silent)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await loop.run(workers: 2) }
            queue.add("good")
            queue.add("bad")
            var runs = ran.makeAsyncIterator()
            let first = [await runs.next(), await runs.next()].compactMap { $0 }
            #expect(first.sorted() == ["bad", "good"])
            await clock.waitForSleeper { $0 == .milliseconds(50) }
            clock.advance(by: .milliseconds(50))
            #expect(await runs.next() == "bad")
            queue.shutDown()
        }
        #expect(queue.count == 0)
    }
}

private struct Flaky: Controller {
    let name = "flaky"
    let report: AsyncStream<String>.Continuation

    func reconcile(_ key: String) async throws -> ReconcileResult {
        report.yield(key)
        if key == "bad" { throw APIError(code: .http(500), message: "no") }
        return .done
    }
}
