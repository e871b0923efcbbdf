import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// One question to a storage driver and its answer: gRPC over the driver's unix socket, a connection for each call. They are rare, and
/// a driver may have been replaced since the last.
struct StorageCall: Sendable {
    /// `grpc-status` 2 and 4, 12 and 14 of those that are made here.
    struct Failure: Error, Hashable, CustomStringConvertible {
        var code: Int
        var message: String

        static let unknown = 2
        static let deadlineExceeded = 4
        static let notFound = 5
        static let unimplemented = 12
        static let unavailable = 14

        var description: String { "\(message) (gRPC status \(code))" }
    }

    /// Answers are small; more than this is not one.
    static let maximumBytes = 1 << 20

    let socketPath: String

    /// - Parameter method: `/csi.v1.Node/NodeGetInfo`.
    func ask(
        _ method: String, _ request: ProtobufMessage = ProtobufMessage(), timeout: Duration
    ) async throws(Failure) -> ProtobufFields {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: [UInt8].self)
        let timer = loop.scheduleTask(in: TimeAmount(timeout)) {
            promise.fail(Failure(code: Failure.deadlineExceeded, message: "no answer within \(timeout)"))
        }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        ClientBootstrap(group: loop).connectTimeout(TimeAmount(timeout)).connect(unixDomainSocketPath: socketPath)
            .whenComplete { result in
                switch result {
                case .failure(let error):
                    promise.fail(Failure(code: Failure.unavailable, message: "cannot connect: \(error)"))
                case .success(let channel):
                    promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                    do { try Self.open(method, request, on: channel, promise) } catch { promise.fail(error) }
                }
            }
        let body: [UInt8]
        do { body = try await promise.futureResult.get() } catch let failure as Failure { throw failure } catch {
            throw Failure(code: Failure.unavailable, message: "\(error)")
        }
        // A flag, four bytes of length, the message.
        guard body.count >= 5, body[0] == 0, let fields = ProtobufFields(body[5...]) else {
            throw Failure(code: Failure.unknown, message: "the answer to \(method) is no message of its kind")
        }
        return fields
    }

    private static func open(
        _ method: String, _ request: ProtobufMessage, on channel: any Channel, _ promise: EventLoopPromise<[UInt8]>
    ) throws {
        let multiplexer = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
        ) { $0.close() }
        try channel.pipeline.syncOperations.addHandler(StorageConnectionHandler(promise))
        let opened = channel.eventLoop.makePromise(of: (any Channel).self)
        opened.futureResult.whenFailure { promise.fail($0) }
        multiplexer.createStreamChannel(promise: opened) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(StorageStreamHandler(method, request, promise))
            }
        }
    }
}

/// Puts the question on its stream and collects the answer.
private final class StorageStreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let method: String
    private let request: ProtobufMessage
    private let promise: EventLoopPromise<[UInt8]>
    private var body: [UInt8] = []
    private var status = ""

    init(_ method: String, _ request: ProtobufMessage, _ promise: EventLoopPromise<[UInt8]>) {
        self.method = method
        self.request = request
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers = HPACKHeaders([
            (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"), ("user-agent", "swiftlet"),
        ])
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
        let length = UInt32(clamping: request.bytes.count)
        let prefix = [0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
        context.writeAndFlush(
            wrapOutboundOut(
                .data(.init(data: .byteBuffer(ByteBuffer(bytes: prefix + request.bytes)), endStream: true))),
            promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if let found = frame.headers.first(name: ":status") { status = found }
            if frame.endStream || frame.headers.contains(name: "grpc-status") { finish(frame.headers) }
        case .data(let frame):
            guard case .byteBuffer(var buffer) = frame.data else { return }
            guard body.count + buffer.readableBytes <= StorageCall.maximumBytes else {
                return fail(StorageCall.Failure.unknown, "the answer has more than \(StorageCall.maximumBytes) bytes")
            }
            body += buffer.readBytes(length: buffer.readableBytes) ?? []
            if frame.endStream { finish([:]) }
        case .rstStream(let code): fail(StorageCall.Failure.unavailable, "the stream was reset: \(code)")
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(StorageCall.Failure.unavailable, "\(error)")
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(StorageCall.Failure.unavailable, "the stream ended without a status")
        context.fireChannelInactive()
    }

    private func finish(_ trailers: HPACKHeaders) {
        guard let text = trailers.first(name: "grpc-status"), let code = Int(text) else {
            return fail(StorageCall.Failure.unknown, "HTTP status \(status) without a status of gRPC")
        }
        if code == 0 { return promise.succeed(body) }
        fail(code, Self.percentDecoded(trailers.first(name: "grpc-message") ?? ""))
    }

    private func fail(_ code: Int, _ message: String) {
        promise.fail(StorageCall.Failure(code: code, message: message))
    }

    /// Undoes the encoding of `grpc-message`; what is not encoded properly stays as it is.
    private static func percentDecoded(_ text: String) -> String {
        var rest = Array(text.utf8.prefix(4096))[...]
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Fails the call when the connection as a whole breaks.
private final class StorageConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = Any

    private let promise: EventLoopPromise<[UInt8]>

    init(_ promise: EventLoopPromise<[UInt8]>) { self.promise = promise }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail("\(error)") }

    func channelInactive(context: ChannelHandlerContext) {
        fail("the connection was closed")
        context.fireChannelInactive()
    }

    private func fail(_ message: String) {
        promise.fail(StorageCall.Failure(code: StorageCall.Failure.unavailable, message: message))
    }
}
