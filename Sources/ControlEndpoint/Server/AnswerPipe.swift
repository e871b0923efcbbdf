internal import NIOCore
internal import Synchronization

/// Takes a streamed answer from who writes it to who reads it, in the same process: the writer waits while much is unread, and learns
/// when the reader has gone.
final class AnswerPipe: Sendable {
    private struct State {
        var unread = ByteBuffer()
        var reader: CheckedContinuation<ByteBuffer?, any Error>?
        var writer: CheckedContinuation<Void, any Error>?
        /// How the writer ended, once it has.
        var end: Result<Void, any Error>?
        var isReaderGone = false
        var onGone: [@Sendable () -> Void] = []
    }

    /// Bytes unread from which on the writer waits.
    private static let highWaterMark = 256 * 1024

    private let state = Mutex(State())

    // MARK: The writer

    /// - Throws: `CancellationError` when the reader has gone, or the pipe is finished.
    func write(_ part: ByteBuffer) async throws {
        let isFull = try state.withLock { state in
            if state.isReaderGone || state.end != nil { throw CancellationError() }
            guard part.readableBytes > 0 else { return false }
            if let reader = state.reader.take() {
                reader.resume(returning: part)
                return false
            }
            state.unread.writeImmutableBuffer(part)
            return state.unread.readableBytes > Self.highWaterMark
        }
        if isFull { try await waitForReader() }
    }

    private func waitForReader() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                state.withLock { state in
                    if state.isReaderGone || state.end != nil || Task.isCancelled {
                        continuation.resume(throwing: CancellationError())
                    } else if state.unread.readableBytes <= Self.highWaterMark {
                        continuation.resume()
                    } else {
                        state.writer = continuation
                    }
                }
            }
        } onCancel: {
            state.withLock { $0.writer.take()?.resume(throwing: CancellationError()) }
        }
    }

    /// Says what is to happen when the reader goes; at once if it has.
    func onGone(_ handler: @escaping @Sendable () -> Void) {
        let isGone = state.withLock { state in
            if !state.isReaderGone { state.onGone.append(handler) }
            return state.isReaderGone
        }
        if isGone { handler() }
    }

    /// The writer has no more, or cannot go on; a write under way fails.
    func finish(_ end: Result<Void, any Error>) {
        let reader = state.withLock { state in
            if state.end == nil { state.end = end }
            state.onGone = []
            state.writer.take()?.resume(throwing: CancellationError())
            return state.reader.take()
        }
        guard let reader else { return }
        switch end {
        case .success: reader.resume(returning: nil)
        case .failure(let error): reader.resume(throwing: error)
        }
    }

    // MARK: The reader

    func read() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<ByteBuffer?, any Error>) in
                state.withLock { state in
                    if state.unread.readableBytes > 0 {
                        let part = state.unread
                        state.unread = ByteBuffer()
                        state.writer.take()?.resume()
                        continuation.resume(returning: part)
                    } else if let end = state.end {
                        continuation.resume(with: end.map { nil })
                    } else if state.isReaderGone {
                        continuation.resume(throwing: CancellationError())
                    } else {
                        state.reader = continuation
                    }
                }
            }
        } onCancel: {
            close()
        }
    }

    /// The reader has gone.
    func close() {
        let handlers = state.withLock { state in
            state.isReaderGone = true
            state.unread = ByteBuffer()
            state.reader.take()?.resume(throwing: CancellationError())
            state.writer.take()?.resume(throwing: CancellationError())
            defer { state.onGone = [] }
            return state.onGone
        }
        for handler in handlers { handler() }
    }
}

/// The reading end as a body. Dropping it, or its iterator, closes the pipe.
struct AnswerPipeBody: AsyncSequence, Sendable {
    final class End: Sendable {
        let pipe: AnswerPipe

        init(_ pipe: AnswerPipe) { self.pipe = pipe }

        deinit { pipe.close() }
    }

    struct Iterator: AsyncIteratorProtocol {
        let end: End

        mutating func next() async throws -> ByteBuffer? { try await end.pipe.read() }
    }

    private let end: End

    init(_ pipe: AnswerPipe) { end = End(pipe) }

    func makeAsyncIterator() -> Iterator { Iterator(end: end) }
}
