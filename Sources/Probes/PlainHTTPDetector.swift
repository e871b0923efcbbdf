import NIOCore

/// Stands before TLS and tells when the server answers in plain HTTP, which TLS itself reports as a wrong version.
final class PlainHTTPDetector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    struct ServerSpokePlainHTTP: Error, CustomStringConvertible {
        var description: String { "http: server gave HTTP response to HTTPS client" }
    }

    private var hasSeenBytes = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if !hasSeenBytes && buffer.readableBytesView.starts(with: "HTTP/".utf8) {
            context.fireErrorCaught(ServerSpokePlainHTTP())
            return
        }
        hasSeenBytes = true
        context.fireChannelRead(data)
    }
}
