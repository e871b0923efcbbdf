internal import Synchronization

/// Work on a namespace that many ask for at once and one round does for all who asked before it began: one round at a
/// time, and nobody waits for more than two.
final class RefreshRounds: Sendable {
    /// Those who wait for the next round, by namespace; an entry means that a round is going on.
    private let waiting = Mutex<[String: [CheckedContinuation<Bool, Never>]]>([:])

    /// Returns when a round that began after the call has ended.
    func run(_ namespace: String, _ round: () async -> Void) async {
        let isFirst = await withCheckedContinuation { continuation in
            let isIdle = waiting.withLock { waiting in
                guard waiting[namespace] != nil else {
                    waiting[namespace] = []
                    return true
                }
                waiting[namespace]?.append(continuation)
                return false
            }
            if isIdle { continuation.resume(returning: true) }
        }
        guard isFirst else { return }
        let covered = waiting.withLock { waiting in
            let all = waiting[namespace] ?? []
            waiting[namespace] = []
            return all
        }
        await round()
        for continuation in covered { continuation.resume(returning: false) }
        let next = waiting.withLock { waiting -> CheckedContinuation<Bool, Never>? in
            guard let next = waiting[namespace]?.first else {
                waiting[namespace] = nil
                return nil
            }
            waiting[namespace]?.removeFirst()
            return next
        }
        next?.resume(returning: true)
    }
}
