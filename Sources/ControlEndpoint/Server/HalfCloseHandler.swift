internal import NIOCore

/// Closes a connection whose client has stopped sending. No client of the API sends a request and then closes only its
/// half; without this, a watch whose client has gone would stay until something is written to it.
final class HalfCloseHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
