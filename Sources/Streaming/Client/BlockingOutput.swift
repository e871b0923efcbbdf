internal import CLinux
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Standard output or standard error of whatever kind, written on a thread that may wait: whoever is slow to take it slows the other side down.
struct BlockingOutput: Sendable {
    private let descriptor: Int32
    private let pool: NIOThreadPool

    /// - Parameter descriptor: the caller's own, which outlives this.
    init(_ descriptor: Int32, pool: NIOThreadPool) {
        self.descriptor = descriptor
        self.pool = pool
    }

    /// Returns once the descriptor has taken everything.
    /// - Throws: when it takes no more, as a pipe that nobody reads.
    func write(_ bytes: ByteBuffer) async throws {
        guard bytes.readableBytes > 0 else { return }
        let descriptor = descriptor
        try await pool.runIfActive {
            var rest = bytes
            while rest.readableBytes > 0 {
                let count = rest.withUnsafeReadableBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count > 0 {
                    rest.moveReaderIndex(forwardBy: count)
                } else if count < 0, errno == EAGAIN {
                    var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&room, 1, -1)
                } else if count == 0 || errno != EINTR {
                    throw StreamingError("the output cannot be written: errno \(errno)")
                }
            }
        }
    }
}
