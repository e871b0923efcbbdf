internal import Synchronization

/// What is still to come of a process's output after its end.
final class CopyProgress: Sendable {
    private struct State {
        var open = 0
        var isWriting = 0
        var count = 0
        var waiters: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    func begin() { state.withLock { $0.open += 1 } }

    func end() {
        let waiters = state.withLock { state -> [AsyncStream<Void>.Continuation] in
            state.open -= 1
            guard state.open == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.finish() }
    }

    func arrived() {
        state.withLock { state in
            state.count += 1
            state.isWriting += 1
        }
    }

    func passedOn() { state.withLock { $0.isWriting -= 1 } }

    /// Returns when every output that was begun has ended, or the task is cancelled.
    func ended() async {
        let (end, waiter) = AsyncStream<Void>.makeStream()
        let isOver = state.withLock { state -> Bool in
            if state.open == 0 { return true }
            state.waiters.append(waiter)
            return false
        }
        if isOver { return }
        for await _ in end {}
    }

    /// Returns when every output has ended, or those that are open (held by what the command left in the background) have been silent
    /// for so long.
    func drained(silence: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.ended() }
            group.addTask { await self.silent(silence) }
            await group.next()
            group.cancelAll()
        }
    }

    private func silent(_ duration: Duration) async {
        var seen = -1
        while !Task.isCancelled {
            let (count, isWriting) = state.withLock { ($0.count, $0.isWriting > 0) }
            if count == seen, !isWriting { return }
            seen = count
            try? await ContinuousClock().sleep(for: duration)
        }
    }
}
