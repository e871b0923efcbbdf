import Synchronization

/// Knows whether a server answers, and tells when one does again that could not be reached.
///
/// Every activity waits on a curve of its own before it tries again. The first of them that gets through spares the others the rest of
/// their wait, so that a node is exact soon after its endpoint is back, however long that was gone.
public final class Reachability: Sendable {
    private struct State {
        var isAway = false
        var lastReturn: ContinuousClock.Instant?
    }

    /// A server that answers every other request does not get all retries each time.
    static let shortestInterval = Duration.seconds(5)

    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant
    private let returns = WakeSignal()

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock().now }) { self.now = now }

    /// To be read before a request whose failure is waited out.
    public var generation: UInt64 { returns.generation }

    /// A request got no answer.
    func failed() { state.withLock { $0.isAway = true } }

    /// A request got an answer that says that the server works.
    func answered() {
        let hasReturned = state.withLock { state in
            guard state.isAway else { return false }
            let now = now()
            if let last = state.lastReturn, now - last < Self.shortestInterval { return false }
            (state.isAway, state.lastReturn) = (false, now)
            return true
        }
        if hasReturned { returns.signal() }
    }

    /// Takes note of how a request failed, and hands the error on.
    func observed(_ error: APIError) -> APIError {
        if error.isUnanswered {
            failed()
        } else if let status = error.httpStatus, status < 500, status != 429 {
            answered()
        }
        return error
    }

    /// Returns once the server has come back later than `generation` was read, or the task is cancelled.
    public func waitForReturn(after generation: UInt64) async { await returns.wait(after: generation) }

    /// Waits before the next try: for `duration`, or, when it is the server that does not answer, until it does.
    func pause(_ duration: Duration, after generation: UInt64, clock: any Clock<Duration>) async {
        if returns.generation != generation || state.withLock(\.isAway) {
            await returns.wait(after: generation, atMost: duration, clock: clock)
        } else {
            try? await clock.sleep(for: duration, tolerance: nil)
        }
    }
}
