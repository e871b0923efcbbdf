import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A server on loopback that answers as it is told, well or badly.
final class FakeAPIServer: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var query: [String: String]
        var headers: [String: String]
        var body: String
    }

    enum Step: Sendable {
        case chunk(String)
        /// Leave the answer unfinished and the connection open.
        case hang
        /// Close the connection within the answer.
        case abort
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [String: String] = ["content-type": "application/json"]
        var steps: [Step] = []

        static func json(_ text: String, status: Int = 200) -> Answer { Answer(status: status, steps: [.chunk(text)]) }
    }

    private let channel: any Channel
    private let log: RequestLog
    let port: Int

    /// What has arrived, in order.
    var requests: [Request] { log.requests.withLock { $0 } }

    /// Runs `body` against a server, which is closed afterwards.
    static func with<Result: Sendable>(
        tls: TLSConfiguration? = nil, answer: @escaping @Sendable (Request) -> Answer,
        _ body: (FakeAPIServer) async throws -> Result
    ) async throws -> Result {
        let requests = RequestLog()
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(log: requests, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = FakeAPIServer(channel: channel, log: requests)
        do {
            let result = try await body(server)
            try await channel.close().get()
            return result
        } catch {
            try? await channel.close().get()
            throw error
        }
    }

    private init(channel: any Channel, log: RequestLog) {
        self.channel = channel
        self.log = log
        port = channel.localAddress?.port ?? 0
    }
}

final class RequestLog: Sendable {
    let requests = Mutex<[FakeAPIServer.Request]>([])
}

private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let log: RequestLog
    private let answer: @Sendable (FakeAPIServer.Request) -> FakeAPIServer.Answer
    private var head: HTTPRequestHead?
    private var body = ""

    init(log: RequestLog, answer: @escaping @Sendable (FakeAPIServer.Request) -> FakeAPIServer.Answer) {
        self.log = log
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ""
        case .body(let buffer): body += String(buffer: buffer)
        case .end:
            guard let head else { return }
            let parts = head.uri.split(separator: "?", maxSplits: 1)
            var query: [String: String] = [:]
            for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
                let sides = pair.split(separator: "=", maxSplits: 1)
                query[String(sides[0])] = sides.count > 1 ? String(sides[1]) : ""
            }
            var headers: [String: String] = [:]
            for (name, value) in head.headers { headers[name.lowercased()] = value }
            let request = FakeAPIServer.Request(
                method: head.method.rawValue, path: String(parts.first ?? ""), query: query, headers: headers,
                body: body)
            log.requests.withLock { $0.append(request) }
            write(answer(request), context: context)
        }
    }

    private func write(_ answer: FakeAPIServer.Answer, context: ChannelHandlerContext) {
        var headers = HTTPHeaders()
        for (name, value) in answer.headers { headers.add(name: name, value: value) }
        headers.add(name: "transfer-encoding", value: "chunked")
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        for step in answer.steps {
            switch step {
            case .chunk(let text):
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            case .hang:
                context.flush()
                return
            case .abort:
                context.flush()
                context.close(promise: nil)
                return
            }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
