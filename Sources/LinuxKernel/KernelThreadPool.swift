import NIOPosix

/// Where blocking kernel work runs (mounts, cgroup writes, fsync, spawn): never on the cooperative thread pool, whose few
/// threads every actor of the agent shares.
public final class KernelThreadPool: Sendable {
    /// The process-wide pool. Threads are started once and live as long as the process.
    public static let shared = KernelThreadPool(threads: 4)
    /// For what is on file systems of others, where a look may take long: it holds up nothing but others of its kind.
    public static let foreign = KernelThreadPool(threads: 8)

    private let pool: NIOThreadPool

    public init(threads: Int) {
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    /// Runs `body` on a thread of the pool and gives its result.
    public func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            pool.submit { _ in
                continuation.resume(returning: Result(catching: body))
            }
        }
        return try result.get()
    }
}
