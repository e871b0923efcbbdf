internal import NIOCore
internal import NIOWebSocket

/// Frames of the client's side of a WebSocket (RFC 6455, 5), without extensions. Incremental: any cut of the input gives the same.
struct WebSocketClientCodec {
    enum Message: Hashable {
        case binary(ByteBuffer)
        case ping(ByteBuffer)
        case close
    }

    /// Bytes of one message from the node, which sends some 64 KiB at a time.
    static let limit = 1 << 20

    private static let lastFragment: UInt8 = 0x80
    private static let maskFlag: UInt8 = 0x80

    private var input = ByteBuffer()
    /// Fragments of a message whose end has not come.
    private var open: ByteBuffer?

    mutating func append(_ bytes: ByteBuffer) {
        if input.readableBytes == 0 { input = bytes } else { input.writeImmutableBuffer(bytes) }
    }

    /// The next message; nil until more arrives.
    mutating func next() throws(StreamingError) -> Message? {
        while let (opcode, isLast, payload) = try frame() {
            switch opcode {
            case .ping: return .ping(payload)
            case .connectionClose: return .close
            case .pong: break
            case .binary, .text, .continuation:
                guard (opcode == .continuation) == (open != nil) else {
                    throw StreamingError("a WebSocket message is cut in a way that is none")
                }
                var whole = open ?? ByteBuffer()
                guard whole.readableBytes + payload.readableBytes <= Self.limit else { throw Self.tooLarge }
                if whole.readableBytes == 0 { whole = payload } else { whole.writeImmutableBuffer(payload) }
                open = isLast ? nil : whole
                if isLast { return .binary(whole) }
            default: throw StreamingError("a WebSocket frame has an unknown kind")
            }
        }
        return nil
    }

    private static let tooLarge = StreamingError("a WebSocket message is larger than \(limit) bytes")

    private mutating func frame() throws(StreamingError)
        -> (opcode: WebSocketOpcode, isLast: Bool, payload: ByteBuffer)?
    {
        var head = input
        guard let first = head.readInteger(as: UInt8.self), let second = head.readInteger(as: UInt8.self) else {
            return nil
        }
        // A server never masks, and no extension was asked for.
        guard first & 0x70 == 0, second & Self.maskFlag == 0,
            let opcode = WebSocketOpcode(encodedWebSocketOpcode: first & 0x0f)
        else { throw StreamingError("a WebSocket frame is not one of a server") }
        let length: UInt64
        switch second {
        case 126:
            guard let long = head.readInteger(as: UInt16.self) else { return nil }
            length = UInt64(long)
        case 127:
            guard let long = head.readInteger(as: UInt64.self) else { return nil }
            length = long
        default: length = UInt64(second)
        }
        guard length <= UInt64(Self.limit) else { throw Self.tooLarge }
        guard let payload = head.readSlice(length: Int(length)) else { return nil }
        input = head
        return (opcode, first & Self.lastFragment != 0, payload)
    }

    // MARK: Writing

    static func binary(_ payload: ByteBuffer, mask: WebSocketMaskingKey) -> ByteBuffer {
        encode(.binary, payload, mask)
    }

    static func pong(_ payload: ByteBuffer, mask: WebSocketMaskingKey) -> ByteBuffer { encode(.pong, payload, mask) }

    private static func encode(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, _ mask: WebSocketMaskingKey)
        -> ByteBuffer
    {
        let count = payload.readableBytes
        var output = ByteBuffer()
        output.reserveCapacity(count + 14)
        output.writeInteger(lastFragment | UInt8(webSocketOpcode: opcode))
        switch count {
        case ..<126: output.writeInteger(maskFlag | UInt8(count))
        case ...Int(UInt16.max):
            output.writeInteger(maskFlag | 126)
            output.writeInteger(UInt16(count))
        default:
            output.writeInteger(maskFlag | 127)
            output.writeInteger(UInt64(count))
        }
        output.writeBytes(mask)
        output.writeImmutableBuffer(WebSocketMessages.masked(payload, mask))
        return output
    }
}
