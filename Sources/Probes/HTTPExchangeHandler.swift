import NIOCore
import NIOHTTP1

/// The answer to a request, as far as it was read.
struct HTTPGetAnswer: Sendable {
    var status: Int
    var location: String?
    /// At most ``ProbeText/maximumBytes``.
    var body: [UInt8] = []
    /// Why the body could not be read.
    var bodyError: String?
}

/// Sends a request once the connection is up and reads the answer's head and the first bytes of its body.
final class HTTPExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPRequestHead
    private let promise: EventLoopPromise<HTTPGetAnswer>
    private let progress: ProbeConnection.Progress
    private var answer: HTTPGetAnswer?

    init(
        request: HTTPRequestHead, promise: EventLoopPromise<HTTPGetAnswer>, progress: ProbeConnection.Progress
    ) {
        self.request = request
        self.promise = promise
        self.progress = progress
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // With TLS in front, this waits there for the handshake.
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            progress.stage = .readingBody
            answer = HTTPGetAnswer(status: Int(head.status.code), location: head.headers.first(name: "location"))
        case .body(var buffer):
            guard var answer else { return }
            let space = ProbeText.maximumBytes - answer.body.count
            answer.body += buffer.readBytes(length: min(space, buffer.readableBytes)) ?? []
            self.answer = answer
            if answer.body.count >= ProbeText.maximumBytes { promise.succeed(answer) }
        case .end:
            if let answer { promise.succeed(answer) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(by: error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(by: ChannelError.eof)
        context.fireChannelInactive()
    }

    private func end(by error: any Error) {
        if var answer {
            answer.bodyError = error is ChannelError ? "unexpected EOF" : "\(error)"
            promise.succeed(answer)
        } else {
            promise.fail(error)
        }
    }
}
