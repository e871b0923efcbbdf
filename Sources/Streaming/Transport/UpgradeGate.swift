internal import NIOCore

/// Looks at the first request of a connection without touching it: whether it wants another protocol. What has arrived is kept until
/// the handlers for either way are there.
final class UpgradeGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Kind: Sendable {
        case ordinary, upgrade
    }

    /// As much as a request's head may have; what is larger is for the HTTP decoder to refuse.
    static let headLimit = 64 << 10
    /// For a new connection to say what it wants, however many bytes of that come: as long as kube-apiserver waits.
    static let patience = TimeAmount.seconds(32)

    private let first: EventLoopPromise<Kind>
    private var held = ByteBuffer()
    private var isDecided = false
    private var wantsRead = false
    private var deadline: Scheduled<Void>?

    init(first: EventLoopPromise<Kind>) {
        self.first = first
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        if !isDecided { first.fail(ChannelError.eof) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        held.writeBuffer(&bytes)
        guard !isDecided else { return }
        guard let kind = Self.kind(held.readableBytesView) else { return }
        isDecided = true
        deadline?.cancel()
        first.succeed(kind)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isDecided { context.fireChannelReadComplete() }
    }

    /// Nothing more is taken in while nobody is there for it.
    func read(context: ChannelHandlerContext) {
        if isDecided { wantsRead = true } else { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isDecided {
            isDecided = true
            first.fail(ChannelError.eof)
        }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        let isEnd = (event as? ChannelEvent) == .inputClosed || event is ChannelShouldQuiesceEvent
        if isEnd, !isDecided { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isDecided { context.fireErrorCaught(error) } else { context.close(promise: nil) }
    }

    func removeHandler(context: ChannelHandlerContext, removalToken: ChannelHandlerContext.RemovalToken) {
        if held.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(held))
            context.fireChannelReadComplete()
        }
        held = ByteBuffer()
        if wantsRead { context.read() }
        context.leavePipeline(removalToken: removalToken)
    }

    /// Nil until the head is whole.
    static func kind(_ bytes: ByteBufferView) -> Kind? {
        var lineStart = bytes.startIndex
        var isUpgrade = false
        while let end = bytes[lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
            var line = bytes[lineStart..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            // The empty line ends the head; before the request line there may be one.
            if line.isEmpty, lineStart != bytes.startIndex { return isUpgrade ? .upgrade : .ordinary }
            if names(line) { isUpgrade = true }
            lineStart = bytes.index(after: end)
        }
        return bytes.count > headLimit ? .ordinary : nil
    }

    /// Whether a header line asks for one of our protocols; `h2c` and others are politely passed over.
    private static func names(_ line: ByteBufferView) -> Bool {
        let name = "upgrade:"
        guard line.count > name.utf8.count else { return false }
        let text = String(decoding: line.prefix(256), as: UTF8.self).lowercased()
        return text.hasPrefix(name) && (text.contains("websocket") || text.contains("spdy/3.1"))
    }
}
