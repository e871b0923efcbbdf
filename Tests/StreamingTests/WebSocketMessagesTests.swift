import NIOCore
import NIOWebSocket
import Testing

@testable import Streaming

struct WebSocketMessagesTests {
    @Test("a mask is taken off whatever the length", arguments: [0, 1, 3, 7, 8, 9, 16, 1023])
    func unmasked(length: Int) {
        let plain = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let key: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
        let masked = plain.enumerated().map { $1 ^ key[$0 % 4] }
        let frame = WebSocketFrame(
            fin: true, opcode: .binary, maskKey: WebSocketMaskingKey(key), data: ByteBuffer(bytes: masked))
        #expect(Array(WebSocketMessages.payload(of: frame).readableBytesView) == plain)
    }

    @Test("the example of RFC 6455, 5.7")
    func example() {
        let frame = WebSocketFrame(
            fin: true, opcode: .text, maskKey: WebSocketMaskingKey([0x37, 0xfa, 0x21, 0x3d]),
            data: ByteBuffer(bytes: [0x7f, 0x9f, 0x4d, 0x51, 0x58]))
        #expect(String(buffer: WebSocketMessages.payload(of: frame)) == "Hello")
    }
}
