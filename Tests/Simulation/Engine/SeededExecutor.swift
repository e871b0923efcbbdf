/// Runs the jobs of one task tree on the thread that asks for it, one at a time, in an order drawn from a seed.
///
/// `@unchecked Sendable`: a world and everything in it is only ever touched by the one thread that runs it.
final class SeededExecutor: TaskExecutor, @unchecked Sendable {
    private var ready: [UnownedJob] = []

    var isIdle: Bool { ready.isEmpty }

    func enqueue(_ job: consuming ExecutorJob) { ready.append(UnownedJob(job)) }

    var count: Int { ready.count }

    /// Runs one of the jobs that are ready.
    func run(_ index: Int) {
        ready.swapAt(index, ready.count - 1)
        ready.removeLast().runSynchronously(on: asUnownedTaskExecutor())
    }

    func runOldest() { ready.removeFirst().runSynchronously(on: asUnownedTaskExecutor()) }
}
