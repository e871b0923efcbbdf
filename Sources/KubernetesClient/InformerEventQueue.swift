import KubernetesAPI
import Synchronization

/// One reader's queue: the informer puts in without waiting, the reader takes out when it likes.
final class InformerEventQueue<T: KubernetesResource>: Sendable {
    private struct State {
        var pending = PendingInformerEvents<T>()
        var finished = false
    }

    private let state = Mutex(State())
    private let wake = WakeSignal()

    func append(_ events: [InformerEvent<T>]) {
        guard !events.isEmpty else { return }
        state.withLock { state in
            for event in events { state.pending.append(event) }
        }
        wake.signal()
    }

    /// The reader gets what is left and then nil.
    func finish() {
        state.withLock { $0.finished = true }
        wake.signal()
    }

    /// The next event; nil once finished, or when the reading task is cancelled.
    func next() async -> InformerEvent<T>? {
        while !Task.isCancelled {
            let generation = wake.generation
            let (event, finished) = state.withLock { ($0.pending.popFirst(), $0.finished) }
            if let event { return event }
            if finished { return nil }
            await wake.wait(after: generation)
        }
        return nil
    }
}
