internal import NIOCore
internal import Synchronization

/// Bytes on their way from one task to another, limited: who puts in more than the limit waits until some are taken out.
final class ByteQueue: Sendable {
    private struct State {
        var buffers: [ByteBuffer] = []
        var bytes = 0
        var isFinished = false
        var isAborted = false
        var reader: CheckedContinuation<Void, Never>?
        var writer: CheckedContinuation<Void, Never>?

        /// Small pieces become one: a client that sends single bytes costs no more than one that sends many at once.
        mutating func add(_ buffer: ByteBuffer) {
            bytes += buffer.readableBytes
            if let last = buffers.indices.last, buffers[last].readableBytes + buffer.readableBytes <= 4096 {
                buffers[last].writeImmutableBuffer(buffer)
            } else {
                buffers.append(buffer)
            }
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    /// One task at a time. What comes after the end is dropped.
    func push(_ buffer: ByteBuffer) async {
        let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.isFinished else { return nil }
            state.add(buffer)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state -> Bool in
                    if state.bytes <= limit || state.isFinished || Task.isCancelled { return true }
                    state.writer = continuation
                    return false
                }
                if isFree { continuation.resume() }
            }
        } onCancel: {
            finish()
        }
    }

    /// Nothing more comes; what is there is still given out.
    func finish() {
        let (reader, writer) = state.withLock { state in
            state.isFinished = true
            defer { (state.reader, state.writer) = (nil, nil) }
            return (state.reader, state.writer)
        }
        reader?.resume()
        writer?.resume()
    }

    /// Nothing more comes, and what is there is dropped.
    func abort() {
        state.withLock { state in
            state.isAborted = true
            state.buffers = []
            state.bytes = 0
        }
        finish()
    }

    /// Bytes that wait to be taken out.
    var waiting: Int { state.withLock { $0.bytes } }

    var isAborted: Bool { state.withLock { $0.isAborted } }

    /// One task at a time. Nil after the end.
    func pop() async -> ByteBuffer? {
        while !Task.isCancelled {
            let (buffer, isOver, writer) = state.withLock {
                state -> (ByteBuffer?, Bool, CheckedContinuation<Void, Never>?) in
                guard !state.buffers.isEmpty else { return (nil, state.isFinished, nil) }
                let buffer = state.buffers.removeFirst()
                state.bytes -= buffer.readableBytes
                guard state.bytes <= limit else { return (buffer, false, nil) }
                defer { state.writer = nil }
                return (buffer, false, state.writer)
            }
            writer?.resume()
            if buffer != nil || isOver { return buffer }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state -> Bool in
                        if !state.buffers.isEmpty || state.isFinished || Task.isCancelled { return true }
                        state.reader = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                finish()
            }
        }
        return nil
    }
}
