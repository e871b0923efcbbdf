import Synchronization

/// A clock that stands still until it is advanced, and that tells when someone sleeps on it.
final class ManualClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleeper: (deadline: Instant, continuation: CheckedContinuation<Void, any Error>)?
        var watcher: CheckedContinuation<Instant, Never>?
        var cancelled = false
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    /// One sleeper at a time.
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (cancelled, watcher) = state.withLock { state in
                    if state.cancelled { return (true, nil as CheckedContinuation<Instant, Never>?) }
                    state.sleeper = (deadline, continuation)
                    defer { state.watcher = nil }
                    return (false, state.watcher)
                }
                if cancelled { continuation.resume(throwing: CancellationError()) }
                watcher?.resume(returning: deadline)
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled = true
                defer { state.sleeper = nil }
                return state.sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Waits until someone sleeps, and gives the instant to be woken at.
    func untilSleeping() async -> Instant {
        await withCheckedContinuation { continuation in
            let deadline = state.withLock { state in
                if state.sleeper == nil { state.watcher = continuation }
                return state.sleeper?.deadline
            }
            if let deadline { continuation.resume(returning: deadline) }
        }
    }

    /// Moves the time to the sleeper's deadline and wakes it.
    func wakeSleeper() {
        let sleeper = state.withLock { state in
            if let sleeper = state.sleeper { state.now = sleeper.deadline }
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.continuation.resume()
    }
}
