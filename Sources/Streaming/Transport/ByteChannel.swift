public import NIOCore

/// A connection after its upgrade: bytes both ways, or one message of a WebSocket in each buffer.
public typealias ByteChannel = NIOAsyncChannel<ByteBuffer, ByteBuffer>
typealias ByteReader = NIOAsyncChannelInboundStream<ByteBuffer>
typealias ByteWriter = NIOAsyncChannelOutboundWriter<ByteBuffer>

extension Channel {
    /// Returns once everything that was written before is with the kernel, or the connection is gone. A caller that is cancelled closes
    /// it: nobody could tell what of it has gone out.
    func flushWrites() async {
        await withTaskCancellationHandler {
            try? await writeAndFlush(ByteBuffer())
        } onCancel: {
            close(promise: nil)
        }
    }

    /// Returns once the connection is closed, or the task is cancelled.
    func awaitClose() async {
        let (closed, closing) = AsyncStream<Void>.makeStream()
        closeFuture.whenComplete { _ in closing.finish() }
        for await _ in closed {}
    }
}
