import Synchronization

/// Lets tasks wait until something has changed, without losing a change that happens just before they wait.
public final class WakeSignal: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var nextID: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        /// Waits cancelled before they were registered.
        var cancelled = Set<UInt64>()
    }

    private let state = Mutex(State())

    public init() {}

    /// To be read before looking at what is waited for.
    public var generation: UInt64 { state.withLock { $0.generation } }

    /// Wakes every waiter.
    public func signal() {
        let waiters = state.withLock { state in
            state.generation &+= 1
            let waiters = state.waiters
            state.waiters = [:]
            return waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns once a signal later than `generation` was given, or the task is cancelled.
    public func wait(after generation: UInt64) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    if state.cancelled.remove(id) != nil || state.generation != generation { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                if let waiter = state.waiters.removeValue(forKey: id) { return waiter }
                state.cancelled.insert(id)
                return nil
            }
            waiter?.resume()
        }
        // The handler may have run after the wait was already over.
        state.withLock { _ = $0.cancelled.remove(id) }
    }

    /// Waits like `wait(after:)`, but not past `deadline` from now.
    public func wait(after generation: UInt64, atMost duration: Duration?, clock: any Clock<Duration>) async {
        guard let duration else { return await wait(after: generation) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(after: generation) }
            group.addTask { try? await clock.sleep(for: duration, tolerance: nil) }
            await group.next()
            group.cancelAll()
        }
    }
}
