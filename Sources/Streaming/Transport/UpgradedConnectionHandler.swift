internal import NIOCore

/// Closes a connection whose client has stopped sending, that was idle for too long, or whose server ends: none of the protocols
/// after an upgrade closes only one half of its connection.
final class UpgradedConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    /// As long as kubelet's: somebody may be thinking at a shell.
    static let idleTimeout = TimeAmount.hours(4)

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        let isEnd =
            (event as? ChannelEvent) == .inputClosed || event is ChannelShouldQuiesceEvent
            || event is IdleStateHandler.IdleStateEvent
        if isEnd { context.close(promise: nil) } else { context.fireUserInboundEventTriggered(event) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
