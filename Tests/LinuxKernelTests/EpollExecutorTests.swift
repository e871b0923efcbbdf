import Glibc
import LinuxKernel
import Synchronization
import Testing

@Suite struct EpollExecutorTests {
    @Test("tasks run on the loop's thread, before and after they have waited for a handler or a clock")
    func thread() async throws {
        let loop = try EpollLoop(name: "executor-test")
        let own = await withCheckedContinuation { continuation in
            _ = loop.schedule(after: .zero) { continuation.resume(returning: currentThread()) }
        }
        #expect(currentThread() != own)
        let seen = try await withTaskExecutorPreference(loop.executor) {
            var seen = [currentThread()]
            await withCheckedContinuation { continuation in
                _ = loop.schedule(after: .milliseconds(1)) { continuation.resume() }
            }
            seen.append(currentThread())
            try await EpollLoopClock(loop).sleep(for: .milliseconds(1))
            seen.append(currentThread())
            await withTaskGroup(of: pthread_t.self) { group in
                for _ in 0..<100 { group.addTask { currentThread() } }
                for await thread in group { seen.append(thread) }
            }
            return seen
        }
        #expect(seen == Array(repeating: own, count: 103))
        loop.stop()
    }

    @Test("tasks that are waiting when the loop ends go on elsewhere, as do those begun after its end")
    func end() async throws {
        let loop = try EpollLoop()
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        async let waiter = withTaskExecutorPreference(loop.executor) {
            begin.yield()
            for await _ in ended {}
            return true
        }
        for await _ in begun { break }
        loop.stop()
        end.finish()
        #expect(await waiter)
        #expect(await withTaskExecutorPreference(loop.executor) { true })
    }

    @Test("descriptors and deadlines have their turn while tasks follow each other without end")
    func fairness() async throws {
        let loop = try EpollLoop()
        let isOver = Atomic(false)
        _ = loop.schedule(after: .milliseconds(5)) { isOver.store(true, ordering: .relaxed) }
        let turns = await withTaskExecutorPreference(loop.executor) {
            var turns = 0
            while !isOver.load(ordering: .relaxed) {
                turns += 1
                await Task.yield()
            }
            return turns
        }
        #expect(turns > 1)
        loop.stop()
    }

    @Test("a sleeper of the loop's clock wakes at its time, or when its task is cancelled")
    func clock() async throws {
        let loop = try EpollLoop()
        let clock = EpollLoopClock(loop)
        let begin = ContinuousClock.now
        try await clock.sleep(for: .milliseconds(20))
        #expect(begin.duration(to: .now) >= .milliseconds(20))
        let sleeper = Task { try await clock.sleep(for: .seconds(3600)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        loop.stop()
    }
}

private func currentThread() -> pthread_t { pthread_self() }
