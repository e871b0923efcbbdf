import Synchronization

/// The continuous clock, whose sleepers an ``EpollLoop`` wakes: for tasks that run on its thread, where nothing else has to be told.
public struct EpollLoopClock: Clock {
    public typealias Instant = ContinuousClock.Instant

    private let loop: EpollLoop

    public init(_ loop: EpollLoop) {
        self.loop = loop
    }

    public var now: Instant { ContinuousClock.now }
    public var minimumResolution: Duration { .milliseconds(1) }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let sleep = Sleep()
        let token = loop.schedule(after: now.duration(to: deadline)) { sleep.end() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { sleep.begin($0) }
        } onCancel: {
            sleep.end()
        }
        loop.remove(token)
        try Task.checkCancellation()
    }
}

/// One sleeper, who may be woken before it lies down.
private final class Sleep: Sendable {
    private enum State {
        case awake
        case asleep(CheckedContinuation<Void, Never>)
        case over
    }

    private let state = Mutex(State.awake)

    func begin(_ continuation: CheckedContinuation<Void, Never>) {
        let isOver = state.withLock { state in
            if case .over = state { return true }
            state = .asleep(continuation)
            return false
        }
        if isOver { continuation.resume() }
    }

    func end() {
        let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state = .over }
            if case .asleep(let continuation) = state { return continuation }
            return nil
        }
        sleeper?.resume()
    }
}
