public import Logging

/// What a controller wants after one run.
public enum ReconcileResult: Sendable, Hashable {
    /// The key is as it should be until something changes.
    case done
    /// Look again after this long.
    case requeue(after: Duration)
    /// Look again after the key's back-off.
    case retry
}

/// Makes the world fit one key at a time. A run may come at any time and any number of times.
public protocol Controller: Sendable {
    associatedtype Key: Hashable & Sendable = ObjectKey
    var name: String { get }
    /// - Throws: anything; the key is tried again after its back-off, or after what the server asked for.
    func reconcile(_ key: Key) async throws -> ReconcileResult
}

/// Runs a controller over a queue.
public struct ControllerLoop<C: Controller>: Sendable {
    private let controller: C
    private let queue: WorkQueue<C.Key>
    private let logger: Logger

    public init(_ controller: C, queue: WorkQueue<C.Key>, logger: Logger) {
        self.controller = controller
        self.queue = queue
        var logger = logger
        logger[metadataKey: "controller"] = "\(controller.name)"
        self.logger = logger
    }

    /// Works until the task is cancelled or the queue shut down.
    public func run(workers: Int = 1) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, workers) {
                group.addTask { await work() }
            }
        }
    }

    private func work() async {
        while let key = await queue.next() {
            await reconcile(key)
            queue.done(key)
        }
    }

    private func reconcile(_ key: C.Key) async {
        do {
            switch try await controller.reconcile(key) {
            case .done: queue.forget(key)
            case .requeue(let delay):
                queue.forget(key)
                queue.add(key, after: delay)
            case .retry: queue.addRateLimited(key)
            }
        } catch is CancellationError {
            return
        } catch {
            let failure = error as? APIError
            if failure?.isCancelled == true { return }
            logger.warning("reconcile failed", metadata: ["key": "\(key)", "error": "\(error)"])
            queue.addRateLimited(key, retryAfterSeconds: failure?.retryAfterSeconds)
        }
    }
}
