internal import CLinux
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Standard input of whatever kind, read on a thread that may wait: a terminal's description is shared with its shell, and is not to be
/// made non-blocking.
final class BlockingInput: Sendable {
    private static let size = 32 << 10

    private let descriptor: Int32
    private let pool: NIOThreadPool
    /// Readable once nothing more is wanted.
    private let wake: Int32

    /// - Parameters:
    ///   - descriptor: the caller's own, which outlives this.
    ///   - pool: one of its threads is taken for as long as a read waits.
    init(_ descriptor: Int32, pool: NIOThreadPool) throws(StreamingError) {
        self.descriptor = descriptor
        self.pool = pool
        wake = eventfd(0, Int32(EFD_CLOEXEC))
        guard wake >= 0 else { throw StreamingError("no event descriptor: errno \(errno)") }
    }

    deinit { close(wake) }

    /// Nil at the end, and when the task is cancelled.
    func next() async -> ByteBuffer? {
        await withTaskCancellationHandler {
            // A pool that has no thread left gives nothing to wait for.
            (try? await pool.runIfActive { self.read() }) ?? nil
        } onCancel: {
            var one = UInt64(1)
            _ = Glibc.write(wake, &one, 8)
        }
    }

    private func read() -> ByteBuffer? {
        var wanted = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&wanted, 2, -1) >= 0 else {
                guard errno == EINTR else { return nil }
                continue
            }
            if wanted[0].revents != 0 { return nil }
            var bytes = ByteBuffer()
            var code: Int32 = 0
            let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.size) { target in
                let count = Glibc.read(descriptor, target.baseAddress, Self.size)
                code = count < 0 ? errno : 0
                return max(0, count)
            }
            // Another reader of the same terminal, or a signal, may have been faster.
            if code == EINTR || code == EAGAIN { continue }
            return count > 0 ? bytes : nil
        }
    }
}
