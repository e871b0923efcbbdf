import Glibc
import KubernetesAPI
import NIOCore
import NIOPosix
import NIOSSL
import Probes
import Synchronization
import TestSupport

/// A server on loopback that answers each connection's request with bytes as told, well or badly.
final class LoopbackServer: Sendable {
    enum Step: Sendable {
        case send(String)
        case bytes([UInt8])
        case close
        /// Says that nothing more will be sent, but goes on reading.
        case halfClose
        /// Closes with a reset instead of a farewell.
        case reset
    }

    private let channel: any Channel
    private let log: Log
    let port: Int

    fileprivate final class Log: Sendable {
        let requests = Mutex<[String]>([])
    }

    /// What has arrived, in order, up to the empty line.
    var requests: [String] { log.requests.withLock { $0 } }

    var containerPort: Int32 { Int32(port) }

    /// Runs `body` against a server, which is closed afterwards.
    ///
    /// - Parameter answer: gets the number of the request, from 0, and its text.
    static func with(
        tls: Bool = false, greeting: [UInt8] = [], answer: @escaping @Sendable (Int, String) -> [Step],
        _ body: (LoopbackServer) async throws -> Void
    ) async throws {
        let log = Log()
        let context = tls ? try NIOSSLContext(configuration: tlsConfiguration()) : nil
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        AnswerHandler(log: log, greeting: greeting, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(LoopbackServer(channel: channel, log: log))
        } catch {
            try? await channel.close().get()
            throw error
        }
        try await channel.close().get()
    }

    private static func tlsConfiguration() throws -> TLSConfiguration {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.server.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.serverKey.utf8), format: .pem)
        return .makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
    }

    private init(channel: any Channel, log: Log) {
        self.channel = channel
        self.log = log
        port = channel.localAddress?.port ?? 0
    }

    /// A port of loopback nobody listens on.
    static func closedPort() async throws -> Int32 {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close().get()
        return Int32(port)
    }
}

extension ProbeRunner {
    /// Runs a probe once against a container of a pod on loopback.
    static func run(
        _ probe: Probe, ports: [ContainerPort] = [], env: [EnvVar] = [], podIP: String? = "127.0.0.1",
        timeout: Duration = .seconds(20), execution: any ProbeExecution = FakeExecution(.timedOut)
    ) async throws -> ProbeOutcome {
        var target = ProbeTarget.test(readiness: probe, ports: ports, env: env)
        target.podIP = podIP
        return try await ProbeRunner(group: MultiThreadedEventLoopGroup.singleton, execution: execution)
            .run(.readiness, of: target, timeout: timeout)
    }
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: LoopbackServer.Log
    private let greeting: [UInt8]
    private let answer: @Sendable (Int, String) -> [LoopbackServer.Step]
    private var text = ""

    init(log: LoopbackServer.Log, greeting: [UInt8], answer: @escaping @Sendable (Int, String) -> [LoopbackServer.Step])
    {
        self.log = log
        self.greeting = greeting
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        if !greeting.isEmpty { write(greeting, context: context) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        text += String(buffer: buffer)
        // The first bytes of TLS and of HTTP/2 do not end with an empty line, and are answered as they are.
        let isOther = buffer.readableBytesView.first == 0x16 || text.hasPrefix("PRI ")
        guard isOther || text.hasSuffix("\r\n\r\n") else { return }
        let (request, number) = log.requests.withLock { requests in
            requests.append(text)
            return (text, requests.count - 1)
        }
        text = ""
        for step in answer(number, request) {
            switch step {
            case .send(let text): write(Array(text.utf8), context: context)
            case .bytes(let bytes): write(bytes, context: context)
            case .close: context.close(promise: nil)
            case .halfClose: context.close(mode: .output, promise: nil)
            case .reset:
                (context.channel as? any SocketOptionProvider)?
                    .setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
                context.close(promise: nil)
            }
        }
    }

    private func write(_ bytes: [UInt8], context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
