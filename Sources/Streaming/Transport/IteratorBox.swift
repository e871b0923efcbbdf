internal import NIOCore

/// Hands an iterator to the one task that goes on with it.
///
/// `@unchecked Sendable`: made by one task, used by one other, never by both.
final class IteratorBox: @unchecked Sendable {
    private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator

    init(_ iterator: consuming NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) {
        self.iterator = iterator
    }

    func next() async throws -> ByteBuffer? { try await iterator.next() }
}
