internal import Hummingbird
internal import NIOCore

/// The body writer of a streamed answer.
///
/// `@unchecked Sendable`: each answer has one sink, and its stream writes one part after the other, awaiting each; no
/// two tasks ever write at the same time.
final class StreamSink: @unchecked Sendable {
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    func write(_ part: ByteBuffer) async throws {
        try await writer.write(part)
    }
}
