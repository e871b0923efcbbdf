internal import NIOCore
internal import NIOWebSocket

/// Makes messages of frames and frames of messages: what is behind it sees buffers only. Answers pings, and ends with a close frame.
final class WebSocketMessages: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    /// Bytes of one message; clients send 32 KiB at a time.
    static let messageLimit = 1 << 20

    private var isCloseSent = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary, .text: context.fireChannelRead(wrapInboundOut(Self.payload(of: frame)))
        case .ping:
            guard !isCloseSent else { return }
            context.writeAndFlush(
                wrapOutboundOut(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)), promise: nil)
        case .connectionClose: context.close(promise: nil)
        case .pong: break
        default: context.close(promise: nil)
        }
    }

    /// Without its mask.
    static func payload(of frame: WebSocketFrame) -> ByteBuffer {
        frame.maskKey.map { masked(frame.data, $0) } ?? frame.data
    }

    /// Masked, or unmasked: it is the same (RFC 6455, 5.3). Eight bytes at a time: all that a client sends comes through here.
    static func masked(_ bytes: ByteBuffer, _ key: WebSocketMaskingKey) -> ByteBuffer {
        var data = bytes
        data.withUnsafeMutableReadableBytes { bytes in
            let word = (0..<8).reduce(UInt64(0)) { $0 | UInt64(key[$1 & 3]) << UInt64(8 * $1) }
            var index = 0
            while index + 8 <= bytes.count {
                let masked = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                bytes.storeBytes(of: (masked ^ word).littleEndian, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < bytes.count {
                bytes[index] ^= key[index & 3]
                index += 1
            }
        }
        return data
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        guard !isCloseSent, bytes.readableBytes > 0 else {
            // An empty buffer only asks when all before it is gone.
            return context.write(wrapOutboundOut(Self.nothing), promise: promise)
        }
        context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .binary, data: bytes)), promise: promise)
    }

    /// A pong that nobody asked for is allowed, and ignored (RFC 6455, 5.5.3).
    private static let nothing = WebSocketFrame(fin: true, opcode: .pong, data: ByteBuffer())

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        sendClose(context)
        context.close(mode: mode, promise: promise)
    }

    private func sendClose(_ context: ChannelHandlerContext) {
        guard !isCloseSent, context.channel.isActive else { return }
        isCloseSent = true
        var code = ByteBuffer()
        code.write(webSocketErrorCode: .normalClosure)
        context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: code)), promise: nil)
    }
}
