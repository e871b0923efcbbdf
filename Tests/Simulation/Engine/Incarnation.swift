/// One life of the agent process: a task tree on an executor of its own, that can be cut off at any point.
///
/// Once dead, nothing it does reaches the world any more: what it waits for fails, what it calls has no effect, and its tasks
/// run out.
///
/// `@unchecked Sendable`: only the thread that runs the world touches it.
final class Incarnation: @unchecked Sendable {
    /// Why a wait ended without what was waited for.
    enum Interruption: Error { case cancelled, dead }

    private struct Waiter {
        let continuation: CheckedContinuation<Interruption?, Never>
        let timer: Timeline.Token?
    }

    let number: Int
    let timeline: Timeline
    let executor = SeededExecutor()
    private(set) var isAlive = true
    /// Asked to end in good order (SIGTERM).
    private(set) var isStopping = false
    private(set) var hasEnded = false
    private var root: Task<Void, Never>?
    private var waiters: [UInt64: Waiter] = [:]
    private var counter: UInt64 = 0
    var order: () -> UInt64 = { 0 }

    init(number: Int, timeline: Timeline) {
        self.number = number
        self.timeline = timeline
    }

    func run(_ body: @escaping @Sendable () async -> Void) {
        // The one unstructured task: the root of what in production is the process.
        root = Task(executorPreference: executor) {
            await body()
            self.hasEnded = true
        }
    }

    /// SIGTERM.
    func stop() {
        isStopping = true
        root?.cancel()
    }

    /// kill -9. The tasks are run out without effect.
    func kill() {
        isAlive = false
        // A loop that only ends when it is cancelled would go round for ever without time passing: its sleeps fail at once now.
        root?.cancel()
    }

    /// Lets the tasks of a dead incarnation end. False when they do not.
    func drain() -> Bool {
        root?.cancel()
        var budget = 200_000
        while budget > 0 {
            let dead = waiters
            waiters = [:]
            for key in dead.keys.sorted() {
                if let timer = dead[key]?.timer { timeline.cancel(timer) }
                dead[key]?.continuation.resume(returning: .dead)
            }
            if executor.isIdle { break }
            executor.runOldest()
            budget -= 1
        }
        return hasEnded
    }

    // MARK: Waiting

    /// Waits for a time, or with nil for ever.
    ///
    /// - Parameter cancellable: whether the task's cancellation ends the wait.
    func suspend(until due: Duration?, cancellable: Bool = true) async throws(Interruption) {
        if !isAlive { throw .dead }
        counter += 1
        let key = counter
        let interruption: Interruption? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if !isAlive { return continuation.resume(returning: .dead) }
                if cancellable, Task.isCancelled { return continuation.resume(returning: .cancelled) }
                let timer = due.map { timeline.at($0, order: order()) { self.wake(key, nil) } }
                waiters[key] = Waiter(continuation: continuation, timer: timer)
            }
        } onCancel: {
            if cancellable { wake(key, .cancelled) }
        }
        if let interruption { throw interruption }
    }

    func suspend(for delay: Duration, cancellable: Bool = true) async throws(Interruption) {
        try await suspend(until: timeline.now + delay, cancellable: cancellable)
    }

    /// Waits until `hand` is called with the key given.
    func waitForHand(cancellable: Bool, _ register: (UInt64) -> Void) async throws(Interruption) {
        if !isAlive { throw .dead }
        counter += 1
        let key = counter
        let interruption: Interruption? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if !isAlive { return continuation.resume(returning: .dead) }
                if cancellable, Task.isCancelled { return continuation.resume(returning: .cancelled) }
                waiters[key] = Waiter(continuation: continuation, timer: nil)
                register(key)
            }
        } onCancel: {
            if cancellable { wake(key, .cancelled) }
        }
        if let interruption { throw interruption }
    }

    /// What was waited for has happened.
    func hand(_ key: UInt64) { wake(key, nil) }

    private func wake(_ key: UInt64, _ interruption: Interruption?) {
        guard let waiter = waiters.removeValue(forKey: key) else { return }
        if let timer = waiter.timer { timeline.cancel(timer) }
        waiter.continuation.resume(returning: interruption)
    }
}
