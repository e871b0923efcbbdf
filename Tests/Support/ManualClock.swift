import Synchronization

/// A clock that stands still until told to move; sleeps end when it has moved past them. Who wants to move it past a sleep first
/// waits for the sleep.
public final class ManualClock: Clock, Sendable {
    public struct Instant: InstantProtocol {
        public var offset: Duration
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        public func duration(to other: Instant) -> Duration { other.offset - offset }
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled = Set<Int>()
        var watchers: [(condition: @Sendable ([Duration]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())
    /// The length of every sleep, as it begins. For one reader.
    public let sleeps: AsyncStream<Duration>
    private let sleep: AsyncStream<Duration>.Continuation

    public init() { (sleeps, sleep) = AsyncStream.makeStream() }

    public var now: Instant { state.withLock { $0.now } }
    public var minimumResolution: Duration { .nanoseconds(1) }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (length, result) = state.withLock { state -> (Duration, Result<Void, any Error>?) in
                    let length = state.now.duration(to: deadline)
                    if state.cancelled.remove(id) != nil { return (length, .failure(CancellationError())) }
                    if length <= .zero { return (length, .success(())) }
                    state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    return (length, nil)
                }
                if let result { continuation.resume(with: result) }
                sleep.yield(length)
                notify()
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                if let sleeper = state.sleepers.removeValue(forKey: id) { return sleeper }
                state.cancelled.insert(id)
                return nil
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    public func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due
        }
        for sleeper in due.values { sleeper.continuation.resume() }
    }

    /// Returns once somebody sleeps for a duration (from now) that satisfies `condition`.
    public func waitForSleeper(_ condition: @escaping @Sendable (Duration) -> Bool) async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.watchers.append(({ $0.contains(where: condition) }, continuation))
            }
            notify()
        }
    }

    private func notify() {
        let ready = state.withLock { state in
            let sleeps = state.sleepers.values.map { state.now.duration(to: $0.deadline) }
            let ready = state.watchers.filter { $0.condition(sleeps) }
            state.watchers.removeAll { $0.condition(sleeps) }
            return ready
        }
        for watcher in ready { watcher.continuation.resume() }
    }
}
