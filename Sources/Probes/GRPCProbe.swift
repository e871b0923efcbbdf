import KubernetesAPI
import NIOCore
import NIOHPACK
import NIOHTTP2

/// Asks the gRPC health service, without TLS; only `SERVING` is success. Whatever goes wrong is a failure.
struct GRPCProbe {
    let group: any EventLoopGroup

    func run(_ address: ProbeAddress, service: String, timeout: Duration) async -> ProbeOutcome {
        do {
            let answer = try await ProbeConnection.exchange(
                with: address, on: group, timeout: timeout
            ) { channel, promise, _ in
                try Self.ask(service, of: address, on: channel, promise: promise)
            }
            return outcome(of: answer)
        } catch ProbeConnection.Failure.timedOut(.connecting) {
            return .failure(
                message: "timeout: failed to connect service \(JSONValue.string(address.text)) within "
                    + "\(timeout.goText): \(ProbeConnectionText.deadlineExceeded)")
        } catch ProbeConnection.Failure.timedOut {
            return .failure(message: "timeout: health rpc did not complete within \(timeout.goText)")
        } catch {
            let reason = ProbeConnectionText.describe(error, address: address)
            if reason.hasPrefix("dial ") {
                return .failure(
                    message: "error: failed to connect service at \(JSONValue.string(address.text)): connection error: "
                        + "desc = \"transport: Error while dialing: \(reason)\"")
            }
            return failure(code: 14, text: reason)
        }
    }

    /// Opens a stream and puts the question on it.
    private static func ask(
        _ service: String, of address: ProbeAddress, on channel: any Channel,
        promise: EventLoopPromise<GRPCHealthAnswer>
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        let multiplexer = try pipeline.configureHTTP2Pipeline(
            mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
        ) { pushed in
            // Pushes are switched off; a server that pushes anyway is not listened to.
            pushed.close()
        }
        try pipeline.addHandler(GRPCConnectionEndHandler(promise: promise))
        let opened = channel.eventLoop.makePromise(of: (any Channel).self)
        opened.futureResult.whenFailure { promise.fail($0) }
        multiplexer.createStreamChannel(promise: opened) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(
                    GRPCHealthStreamHandler(service: service, authority: address.text, promise: promise))
            }
        }
    }

    private func outcome(of answer: GRPCHealthAnswer) -> ProbeOutcome {
        guard answer.code == 0 else { return failure(code: answer.code, text: answer.message) }
        switch GRPCHealthMessage.status(ofResponse: answer.body) {
        case 1: return .success(message: "service healthy")
        case .some(let status):
            let names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]
            let name = Int(exactly: status).flatMap { names.indices.contains($0) ? names[$0] : nil } ?? "\(status)"
            return .failure(message: "service unhealthy (responded with \"\(name)\")")
        case nil: return failure(code: 13, text: "the response is not a HealthCheckResponse")
        }
    }

    private func failure(code: Int, text: String) -> ProbeOutcome {
        if code == 12 {
            return .failure(
                message: "error: this server does not implement the grpc health protocol "
                    + "(grpc.health.v1.Health): \(text)")
        }
        let names = [
            "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
            "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
            "Internal", "Unavailable", "DataLoss", "Unauthenticated",
        ]
        let name = names.indices.contains(code) ? names[code] : "Code(\(code))"
        return .failure(message: "error: health rpc probe failed: rpc error: code = \(name) desc = \(text)")
    }
}

/// How a call to the health service ended.
struct GRPCHealthAnswer: Sendable {
    /// `grpc-status`.
    var code: Int
    /// `grpc-message`.
    var message = ""
    /// The response's messages in their framing, at most ``ProbeText/maximumBytes``.
    var body: [UInt8] = []
}

/// Puts the question on its stream and collects the answer.
final class GRPCHealthStreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let service: String
    private let authority: String
    private let promise: EventLoopPromise<GRPCHealthAnswer>
    private var body: [UInt8] = []
    private var httpStatus = ""

    init(service: String, authority: String, promise: EventLoopPromise<GRPCHealthAnswer>) {
        self.service = service
        self.authority = authority
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers = HPACKHeaders([
            (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"),
            (":authority", authority), ("content-type", "application/grpc"), ("te", "trailers"),
            ("user-agent", ProbeUserAgent.probe),
        ])
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
        let message = ByteBuffer(bytes: GRPCHealthMessage.request(service: service))
        context.writeAndFlush(
            wrapOutboundOut(.data(.init(data: .byteBuffer(message), endStream: true))), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if let status = frame.headers.first(name: ":status") { httpStatus = status }
            if frame.endStream || frame.headers.contains(name: "grpc-status") { finish(frame.headers) }
        case .data(let frame):
            guard case .byteBuffer(var buffer) = frame.data else { return }
            let space = ProbeText.maximumBytes - body.count
            body += buffer.readBytes(length: min(space, buffer.readableBytes)) ?? []
            if frame.endStream { finish([:]) }
        case .rstStream(let code): fail("stream terminated by RST_STREAM with error code: \(code)")
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }

    func channelInactive(context: ChannelHandlerContext) {
        fail("the stream ended without a status")
        context.fireChannelInactive()
    }

    private func finish(_ trailers: HPACKHeaders) {
        guard let text = trailers.first(name: "grpc-status"), let code = Int(text) else {
            let code = httpStatus == "404" ? 12 : 2
            return fail("unexpected HTTP status code received from server: \(httpStatus)", code: code)
        }
        let message = Self.percentDecoded(trailers.first(name: "grpc-message") ?? "")
        promise.succeed(GRPCHealthAnswer(code: code, message: message, body: body))
    }

    private func fail(_ message: String, code: Int = 14) {
        promise.succeed(GRPCHealthAnswer(code: code, message: message))
    }

    /// Undoes the encoding of `grpc-message`; what is not encoded properly stays as it is.
    private static func percentDecoded(_ text: String) -> String {
        var rest = Substring(text).utf8
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16), rest.count >= 2 {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Fails the call when the connection as a whole breaks, for example because the server speaks something else.
final class GRPCConnectionEndHandler: ChannelInboundHandler {
    typealias InboundIn = Any

    private let promise: EventLoopPromise<GRPCHealthAnswer>

    init(promise: EventLoopPromise<GRPCHealthAnswer>) { self.promise = promise }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
