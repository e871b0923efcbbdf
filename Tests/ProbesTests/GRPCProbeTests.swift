import KubernetesAPI
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Probes
import Synchronization
import Testing

@Suite("GRPCProbe", .timeLimit(.minutes(5)))
struct GRPCProbeTests {
    private func check(_ server: GRPCServer, service: String? = nil, timeout: Duration = .seconds(20)) async throws
        -> ProbeOutcome
    {
        try await ProbeRunner.run(
            Probe(grpc: GRPCAction(port: server.port, service: service)), timeout: timeout)
    }

    private static let unhealthy = "service unhealthy (responded with "

    @Test(
        "only SERVING is success",
        arguments: [
            ([0x08, 1], ProbeOutcome.success(message: "service healthy")),
            ([], .failure(message: unhealthy + "\"UNKNOWN\")")),
            ([0x08, 0], .failure(message: unhealthy + "\"UNKNOWN\")")),
            ([0x08, 2], .failure(message: unhealthy + "\"NOT_SERVING\")")),
            ([0x08, 3], .failure(message: unhealthy + "\"SERVICE_UNKNOWN\")")),
            ([0x08, 0x80, 1], .failure(message: unhealthy + "\"128\")")),
            // Unknown fields of every wire type before the status.
            (
                [0x10, 5, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x22, 2, 9, 9, 0x2D, 1, 2, 3, 4, 0x08, 1],
                .success(message: "service healthy")
            ),
        ] as [([UInt8], ProbeOutcome)])
    func status(message: [UInt8], outcome: ProbeOutcome) async throws {
        try await GRPCServer.with(.init(message: message)) { server async throws in
            #expect(try await check(server) == outcome)
        }
    }

    @Test("the call names the service and has the headers of gRPC")
    func request() async throws {
        try await GRPCServer.with(.init(message: [0x08, 1])) { server async throws in
            for service in [nil, "", "shop.Cart", String(repeating: "s", count: 300)] {
                #expect(try await check(server, service: service) == .success(message: "service healthy"))
            }
            let requests = server.requests
            #expect(requests.map(\.body).prefix(2) == [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
            #expect(requests[2].body == [0, 0, 0, 0, 11, 0x0A, 9] + Array("shop.Cart".utf8))
            #expect(requests[3].body.prefix(8) == [0, 0, 0, 1, 47, 0x0A, 0xAC, 0x02])
            let headers = requests[0].headers
            #expect(headers[":method"] == ["POST"])
            #expect(headers[":path"] == ["/grpc.health.v1.Health/Check"])
            #expect(headers[":scheme"] == ["http"])
            #expect(headers[":authority"] == ["127.0.0.1:\(server.port)"])
            #expect(headers["content-type"] == ["application/grpc"])
            #expect(headers["te"] == ["trailers"])
            #expect(headers["user-agent"] == ["kube-probe/1.36"])
        }
    }

    @Test(
        "a status other than OK is a failure that names it, in trailers or alone",
        arguments: [
            (
                "12", "unknown%20service%",
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
                    + "unknown service%"
            ),
            ("5", "no", "error: health rpc probe failed: rpc error: code = NotFound desc = no"),
            ("14", "", "error: health rpc probe failed: rpc error: code = Unavailable desc = "),
            ("99", "x", "error: health rpc probe failed: rpc error: code = Code(99) desc = x"),
            (
                "huh", "x",
                "error: health rpc probe failed: rpc error: code = Unknown desc = "
                    + "unexpected HTTP status code received from server: 200"
            ),
        ])
    func codes(code: String, message: String, text: String) async throws {
        for body: [UInt8]? in [nil, [0x08, 1]] {
            try await GRPCServer.with(.init(message: body, code: code, text: message)) { server async throws in
                #expect(try await check(server) == .failure(message: text))
            }
        }
    }

    @Test(
        "a response that is no such message is a failure",
        arguments: [
            [0x08], [0x08, 0x80], [0x22, 200, 1], [0x0F], [0x19, 1], [0x2D, 1], [UInt8](repeating: 0xFF, count: 20),
        ]
            as [[UInt8]])
    func badMessage(message: [UInt8]) async throws {
        try await GRPCServer.with(.init(message: message)) { server async throws in
            #expect(
                try await check(server)
                    == .failure(
                        message: "error: health rpc probe failed: rpc error: code = Internal desc = "
                            + "the response is not a HealthCheckResponse"))
        }
    }

    @Test("a frame that promises more than it brings is a failure")
    func badFrame() async throws {
        for frame: [UInt8] in [[0, 0xFF, 0xFF, 0xFF, 0xFF, 0x08, 1], [0, 0, 0], [1, 0, 0, 0, 2, 0x08, 1]] {
            try await GRPCServer.with(.init(frame: frame)) { server async throws in
                let outcome = try await check(server)
                guard case .failure(let text) = outcome else { throw Unexpected(outcome) }
                #expect(text.hasSuffix("the response is not a HealthCheckResponse"))
            }
        }
    }

    @Test("a plain HTTP/2 server without the path does not implement the protocol")
    func notFound() async throws {
        try await GRPCServer.with(.init(message: nil, status: "404", code: nil)) { server async throws in
            let outcome = try await check(server)
            guard case .failure(let text) = outcome else { throw Unexpected(outcome) }
            #expect(text.hasPrefix("error: this server does not implement the grpc health protocol"))
        }
    }

    @Test("a server that resets the stream or never answers is a failure")
    func noAnswer() async throws {
        try await GRPCServer.with(.init(message: nil, isReset: true)) { server async throws in
            let outcome = try await check(server)
            guard case .failure(let text) = outcome else { throw Unexpected(outcome) }
            #expect(text.hasPrefix("error: health rpc probe failed: rpc error: code = Unavailable desc = "))
        }
        try await GRPCServer.with(.init(message: nil, isSilent: true)) { server async throws in
            // On a busy machine the connection may take its time; then it has more of it.
            var outcome = ProbeOutcome.ok
            for (timeout, text) in [(Duration.milliseconds(200), "200ms"), (.seconds(3), "3s"), (.seconds(20), "20s")] {
                outcome = try await check(server, timeout: timeout)
                if outcome == .failure(message: "timeout: health rpc did not complete within \(text)") { return }
            }
            throw Unexpected(outcome)
        }
    }

    @Test("a server that speaks something else, or hangs up, is a failure")
    func notHTTP2() async throws {
        for steps: [LoopbackServer.Step] in [[.send("HTTP/1.1 400 Bad Request\r\n\r\n"), .close], [.close], [.reset]] {
            try await LoopbackServer.with(answer: { _, _ in steps }) { server async throws in
                let outcome = try await ProbeRunner.run(Probe(grpc: GRPCAction(port: server.containerPort)))
                guard case .failure(let text) = outcome else { throw Unexpected(outcome) }
                #expect(text.hasPrefix("error: health rpc probe failed: rpc error: code = Unavailable desc = "))
            }
        }
    }

    @Test("a refused connection is a failure")
    func refused() async throws {
        let port = try await LoopbackServer.closedPort()
        #expect(
            try await ProbeRunner.run(Probe(grpc: GRPCAction(port: port)))
                == .failure(
                    message: "error: failed to connect service at \"127.0.0.1:\(port)\": connection error: "
                        + "desc = \"transport: Error while dialing: dial tcp 127.0.0.1:\(port): "
                        + "connect: connection refused\""))
    }
}

/// A gRPC server that answers every call the same way.
private final class GRPCServer: Sendable {
    struct Answer: Sendable {
        /// The protobuf of the response, to be framed.
        var message: [UInt8]?
        /// Or a frame as it is.
        var frame: [UInt8]?
        var status = "200"
        var code: String? = "0"
        var text = ""
        var isReset = false
        var isSilent = false
    }

    struct Request: Sendable {
        var headers: HPACKHeaders
        var body: [UInt8]
    }

    final class Log: Sendable {
        let requests = Mutex<[Request]>([])
    }

    let port: Int32
    private let log: Log
    var requests: [Request] { log.requests.withLock { $0 } }

    private init(port: Int32, log: Log) {
        self.port = port
        self.log = log
    }

    static func with(_ answer: Answer, _ body: (GRPCServer) async throws -> Void) async throws {
        let log = Log()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.configureHTTP2Pipeline(
                    mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()
                ) { stream in
                    stream.eventLoop.makeCompletedFuture {
                        try stream.pipeline.syncOperations.addHandler(GRPCAnswerHandler(answer, log: log))
                    }
                }.map { _ in }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(GRPCServer(port: Int32(channel.localAddress?.port ?? 0), log: log))
        } catch {
            try? await channel.close().get()
            throw error
        }
        try await channel.close().get()
    }
}

private final class GRPCAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let answer: GRPCServer.Answer
    private let log: GRPCServer.Log
    private var headers = HPACKHeaders()
    private var body: [UInt8] = []

    init(_ answer: GRPCServer.Answer, log: GRPCServer.Log) {
        self.answer = answer
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame): headers = frame.headers
        case .data(let frame):
            if case .byteBuffer(let buffer) = frame.data { body += Array(buffer.readableBytesView) }
            if frame.endStream {
                log.requests.withLock { $0.append(.init(headers: headers, body: body)) }
                respond(context)
            }
        default: break
        }
    }

    private func respond(_ context: ChannelHandlerContext) {
        if answer.isSilent { return }
        if answer.isReset {
            return context.writeAndFlush(wrapOutboundOut(.rstStream(.internalError)), promise: nil)
        }
        var trailers = HPACKHeaders()
        if let code = answer.code { trailers.add(name: "grpc-status", value: code) }
        if answer.code != nil { trailers.add(name: "grpc-message", value: answer.text) }
        let head: HPACKHeaders = [":status": answer.status, "content-type": "application/grpc"]
        let framed = answer.message.map { [0, 0, 0, 0, UInt8($0.count)] + $0 }
        guard let bytes = answer.frame ?? framed else {
            var only = head
            only.add(contentsOf: trailers)
            return context.writeAndFlush(
                wrapOutboundOut(.headers(.init(headers: only, endStream: true))), promise: nil)
        }
        context.write(wrapOutboundOut(.headers(.init(headers: head))), promise: nil)
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes))))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))), promise: nil)
    }
}
