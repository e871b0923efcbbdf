import Glibc
import NIOCore

/// Bytes on their way from a connection to the thread that unpacks them, at most ``capacityBytes`` of them and one chunk: whoever is
/// faster waits for the other.
///
/// - Note: `@unchecked Sendable`: everything but `current` is touched with the mutex held, and `current` by the one reader
///   alone.
final class BlobPipe: ByteSource, @unchecked Sendable {
    /// What an unpacker takes in two milliseconds. A chunk may hold on to twice as much memory as it has bytes.
    static let capacityBytes = 1 << 18

    private enum End {
        case complete
        case failed(ImageError)
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var chunks: [ByteBuffer] = []
    /// The first chunk that is not read yet.
    private var head = 0
    private var heldBytes = 0
    private var end: End?
    private var isAbandoned = false
    private var waitingWriter: CheckedContinuation<Void, Never>?
    /// Keeps the bytes that the reader was given where they are.
    private var current: Unmanaged<AnyObject>?

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrival, nil)
    }

    deinit {
        pthread_cond_destroy(arrival)
        pthread_mutex_destroy(mutex)
        arrival.deallocate()
        mutex.deallocate()
        current?.release()
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    // MARK: Writing

    /// Hands bytes over; returns when there is room for more. Gives false when nobody reads any more.
    func send(_ chunk: ByteBuffer) async -> Bool {
        guard chunk.readableBytes > 0 else { return locked { !isAbandoned } }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let goesOn = locked {
                guard !isAbandoned else { return true }
                chunks.append(chunk)
                heldBytes += chunk.readableBytes
                pthread_cond_signal(arrival)
                guard heldBytes >= Self.capacityBytes else { return true }
                waitingWriter = continuation
                return false
            }
            if goesOn { continuation.resume() }
        }
        return locked { !isAbandoned }
    }

    /// All bytes are there.
    func finish() { end(.complete) }

    /// No more will come: the reader gets the error.
    func fail(_ error: ImageError) { end(.failed(error)) }

    private func end(_ end: End) {
        locked {
            if self.end == nil { self.end = end }
            pthread_cond_signal(arrival)
        }
    }

    // MARK: Reading

    /// Nothing is read any more: the writer is told.
    func abandon() {
        let writer = locked {
            isAbandoned = true
            chunks = []
            head = 0
            heldBytes = 0
            defer { waitingWriter = nil }
            return waitingWriter
        }
        writer?.resume()
    }

    /// Blocks until bytes have come.
    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        let (chunk, end, writer) = take()
        writer?.resume()
        current?.release()
        current = nil
        if let chunk {
            return chunk.withUnsafeReadableBytesWithStorageManagement { bytes, storage in
                current = storage.retain()
                return bytes
            }
        }
        if case .failed(let error)? = end { throw error }
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private func take() -> (ByteBuffer?, End?, CheckedContinuation<Void, Never>?) {
        locked {
            while head == chunks.count, end == nil { pthread_cond_wait(arrival, mutex) }
            guard head < chunks.count else { return (nil, end, nil) }
            let chunk = chunks[head]
            head += 1
            heldBytes -= chunk.readableBytes
            if head == chunks.count {
                chunks.removeAll(keepingCapacity: true)
                head = 0
            }
            // Half empty is soon enough: fewer switches.
            guard heldBytes <= Self.capacityBytes / 2 else { return (chunk, nil, nil) }
            defer { waitingWriter = nil }
            return (chunk, nil, waitingWriter)
        }
    }
}
