import NIOCore
import NIOWebSocket
import Testing

@testable import Streaming

struct WebSocketClientCodecTests {
    /// A server's frames, as RFC 6455 (5.2 and 5.7) has them.
    private static let frames: [UInt8] =
        [0x82, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]  // "Hello" in one frame
        + [0x02, 0x03, 0x48, 0x65, 0x6c]  // "Hel", to be continued,
        + [0x89, 0x02, 0x68, 0x69]  // a ping with "hi" between,
        + [0x80, 0x02, 0x6c, 0x6f]  // "lo"
        + [0x82, 0x7e, 0x01, 0x00] + [UInt8](repeating: 7, count: 256)
        + [0x88, 0x02, 0x03, 0xe8]

    @Test("any cut of a server's frames gives the same messages", arguments: [1, 2, 3, 5, 64, 1000])
    func cuts(size: Int) throws {
        var codec = WebSocketClientCodec()
        var messages: [WebSocketClientCodec.Message] = []
        for start in stride(from: 0, to: Self.frames.count, by: size) {
            codec.append(ByteBuffer(bytes: Self.frames[start..<min(start + size, Self.frames.count)]))
            while let message = try codec.next() { messages.append(message) }
        }
        #expect(
            messages == [
                .binary(ByteBuffer(string: "Hello")), .ping(ByteBuffer(string: "hi")),
                .binary(ByteBuffer(string: "Hello")), .binary(ByteBuffer(repeating: 7, count: 256)), .close,
            ])
    }

    @Test(
        "what no server of ours sends is refused",
        arguments: [
            [0x82, 0x81, 0, 0, 0, 0, 1],  // masked
            [0xc2, 0x01, 0x61],  // an extension's bit
            [0x83, 0x00],  // a kind that is none
            [0x80, 0x01, 0x61],  // the end of a message that never began
            [0x02, 0x01, 0x61, 0x82, 0x01, 0x61],  // a message within a message
            [0x82, 0x7f, 0, 0, 0, 0, 0, 0x20, 0, 1],  // over the limit
            [0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] as [[UInt8]])
    func refused(bytes: [UInt8]) {
        var codec = WebSocketClientCodec()
        codec.append(ByteBuffer(bytes: bytes))
        #expect(throws: StreamingError.self) { while try codec.next() != nil {} }
    }

    @Test("a message of many fragments has a limit too")
    func fragments() {
        var codec = WebSocketClientCodec()
        let piece = [UInt8](repeating: 0, count: 0x8000)
        codec.append(ByteBuffer(bytes: [0x02, 0x7e, 0x80, 0x00] + piece))
        for _ in 0..<WebSocketClientCodec.limit / piece.count {
            codec.append(ByteBuffer(bytes: [0x00, 0x7e, 0x80, 0x00] + piece))
        }
        #expect(throws: StreamingError.self) { while try codec.next() != nil {} }
    }

    @Test("what is sent is masked, with its length in the shortest form")
    func sent() throws {
        let key: WebSocketMaskingKey = [0x37, 0xfa, 0x21, 0x3d]
        // The example of RFC 6455, 5.7, as binary.
        #expect(
            WebSocketClientCodec.binary(ByteBuffer(string: "Hello"), mask: key)
                == ByteBuffer(bytes: [0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]))
        for (count, head) in [
            (125, [0x82, 0xfd]), (126, [0x82, 0xfe, 0, 126]), (0xffff, [0x82, 0xfe, 0xff, 0xff]),
            (0x10000, [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] as [(Int, [UInt8])] {
            let frame = WebSocketClientCodec.binary(ByteBuffer(repeating: 0, count: count), mask: key)
            #expect(Array(frame.readableBytesView.prefix(head.count)) == head)
            #expect(frame.readableBytes == head.count + 4 + count)
        }
    }
}
