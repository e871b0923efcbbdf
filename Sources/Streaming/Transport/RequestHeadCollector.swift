internal import NIOCore
internal import NIOHTTP1

/// Takes the head of the one request that is to be upgraded.
final class RequestHeadCollector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let head: EventLoopPromise<HTTPRequestHead>
    private var isDone = false

    init(head: EventLoopPromise<HTTPRequestHead>) {
        self.head = head
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Its body, if it has one, says nothing to us.
        if case .head(let head) = unwrapInboundIn(data), !isDone {
            isDone = true
            self.head.succeed(head)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(ChannelError.eof)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error)
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) { fail(ChannelError.eof) }

    private func fail(_ error: any Error) {
        if isDone { return }
        isDone = true
        head.fail(error)
    }
}
