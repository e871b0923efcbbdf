internal import NIOCore
internal import Synchronization

/// One open watch: a bounded queue between the writer and one client.
final class Watcher: Sendable {
    /// Which objects it is about: nil means all.
    struct Scope: Hashable, Sendable {
        var namespace: String?
        var name: String?

        func covers(_ key: ObjectKey) -> Bool {
            (namespace == nil || key.namespace == namespace) && (name == nil || key.name == name)
        }

        /// Every scope that an object is in.
        static func all(covering key: ObjectKey) -> [Scope] {
            [
                Scope(), Scope(namespace: key.namespace), Scope(name: key.name),
                Scope(namespace: key.namespace, name: key.name),
            ]
        }
    }

    /// What is sent to the client, once each, until the watch ends.
    struct Messages: AsyncSequence, AsyncIteratorProtocol {
        fileprivate let watcher: Watcher

        func makeAsyncIterator() -> Messages { self }

        func next() async -> WatchMessage? { await watcher.next() }
    }

    private struct State {
        var queue = CircularBuffer<WatchMessage>()
        var reader: CheckedContinuation<WatchMessage?, Never>?
        var isFinished = false
        var onOverflow: (@Sendable () -> Void)?
    }

    /// Changes a slow client may lag behind before its watch is closed. Bounded so that it cannot hold memory.
    static let bufferLimit = 1024

    let id: Int
    let scope: Scope
    private let limit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - namespace: only objects of this namespace; nil for all.
    ///   - name: only the object of this name; nil for all.
    init(id: Int, namespace: String?, name: String?, bufferLimit: Int = Watcher.bufferLimit) {
        self.id = id
        scope = Scope(namespace: namespace, name: name)
        limit = max(1, bufferLimit)
    }

    /// For one reader.
    var messages: Messages { Messages(watcher: self) }

    func covers(_ key: ObjectKey) -> Bool { scope.covers(key) }

    /// Says what is to happen when the client lags too far behind: it may be stuck in the middle of a message.
    func onOverflow(_ handler: @escaping @Sendable () -> Void) { state.withLock { $0.onOverflow = handler } }

    /// Queues a message. A full queue ends the watch, as a gap must never be followed by a later change, and is emptied: the client
    /// goes on from what it has read.
    func send(_ message: WatchMessage) {
        let overflow: (@Sendable () -> Void)? = state.withLock { state in
            if state.isFinished { return nil }
            if let reader = state.reader.take() {
                reader.resume(returning: message)
                return nil
            }
            guard state.queue.count >= limit else {
                state.queue.append(message)
                return nil
            }
            state.queue = CircularBuffer()
            state.isFinished = true
            return state.onOverflow.take()
        }
        overflow?()
    }

    /// Ends the watch; what is queued is sent before.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            state.onOverflow = nil
            state.reader.take()?.resume(returning: nil)
        }
    }

    private func next() async -> WatchMessage? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    if let message = state.queue.popFirst() {
                        continuation.resume(returning: message)
                    } else if state.isFinished || Task.isCancelled {
                        continuation.resume(returning: nil)
                    } else {
                        state.reader = continuation
                    }
                }
            }
        } onCancel: {
            finish()
        }
    }
}
