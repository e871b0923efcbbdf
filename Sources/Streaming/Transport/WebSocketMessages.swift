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
        case .binary, .text: context.fireChannelRead(wrapInboundOut(frame.unmaskedData))
        case .ping:
            guard !isCloseSent else { return }
            context.writeAndFlush(
                wrapOutboundOut(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)), promise: nil)
        case .connectionClose: context.close(promise: nil)
        case .pong: break
        default: context.close(promise: nil)
        }
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
