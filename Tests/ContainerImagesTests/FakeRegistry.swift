import KubernetesAPI
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import ContainerImages

/// A registry on loopback, without TLS, that answers as a test tells it: well or badly.
final class FakeRegistry: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var query: String
        var headers: HTTPHeaders
        var body: String

        func header(_ name: String) -> String? { headers.first(name: name) }
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        /// What `Content-Length` says; nil is the truth.
        var announced: Int?
        /// The connection is closed after so many bytes of the body.
        var cut: Int?
        /// Bytes go on for ever after the body.
        var isEndless = false
        /// Nothing follows the body, and the connection stays.
        var hangs = false

        static func error(_ status: Int, _ headers: [(String, String)] = []) -> Answer {
            Answer(status: status, headers: headers)
        }
    }

    typealias Handler = @Sendable (Request) -> Answer

    private final class Log: Sendable {
        let requests = Mutex<[Request]>([])
    }

    private let channel: any Channel
    private let log: Log

    /// Runs `body` against a server, which is closed afterwards.
    static func run(_ answer: @escaping Handler, _ body: (FakeRegistry) async throws -> Void) async throws {
        let log = Log()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Connection(log: { request in log.requests.withLock { $0.append(request) } }, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = FakeRegistry(channel: channel, log: log)
        do {
            try await body(server)
            try await channel.close().get()
        } catch {
            try? await channel.close().get()
            throw error
        }
    }

    private init(channel: any Channel, log: Log) {
        self.channel = channel
        self.log = log
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    /// As in the name of an image.
    var host: String { "127.0.0.1:\(port)" }
    /// What has arrived, in order.
    var requests: [Request] { log.requests.withLock { $0 } }

    // MARK: Good answers

    /// Documents and blobs by the last part of their path, and manifests by their tags.
    struct Content: Sendable {
        var blobs: [String: [UInt8]] = [:]
        var manifests: [String: (bytes: [UInt8], type: String)] = [:]

        static func image(_ fixture: ImageFixture, tag: String = "1") -> Content {
            var content = Content()
            content.add(fixture, tag: tag)
            return content
        }

        mutating func add(_ fixture: ImageFixture, tag: String) {
            for bytes in fixture.storedLayers + [fixture.configBytes] { add(blob: bytes) }
            add(manifest: fixture.manifest.serialized(), type: ImageFixture.manifestType, tag: tag)
        }

        mutating func add(blob bytes: [UInt8]) { blobs["\(ContentDigest(of: bytes))"] = bytes }

        mutating func add(manifest bytes: [UInt8], type: String, tag: String?) {
            manifests["\(ContentDigest(of: bytes))"] = (bytes, type)
            if let tag { manifests[tag] = (bytes, type) }
        }

        func answer(_ request: Request) -> Answer {
            let name = request.path.split(separator: "/").last.map(String.init) ?? ""
            if request.path.contains("/manifests/"), let manifest = manifests[name] {
                let digest = ContentDigest(of: manifest.bytes)
                let headers = [("content-type", manifest.type), ("docker-content-digest", "\(digest)")]
                return Answer(headers: headers, body: manifest.bytes)
            }
            guard request.path.contains("/blobs/"), let blob = blobs[name] else { return .error(404) }
            if let range = request.header("range")?.dropFirst("bytes=".count),
                let start = range.split(separator: "-").first.flatMap({ Int($0) })
            {
                return Answer(
                    status: 206, headers: [("content-range", "bytes \(start)-\(blob.count - 1)/\(blob.count)")],
                    body: Array(blob[start...]))
            }
            return Answer(body: blob)
        }
    }

    // MARK: Connections

    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let log: @Sendable (Request) -> Void
        private let answer: FakeRegistry.Handler
        private var head: HTTPRequestHead?
        private var body = ""

        init(log: @escaping @Sendable (Request) -> Void, answer: @escaping FakeRegistry.Handler) {
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
                let request = Request(
                    method: head.method.rawValue, path: String(parts.first ?? ""),
                    query: parts.count > 1 ? String(parts[1]) : "", headers: head.headers, body: body)
                log(request)
                write(answer(request), isHead: head.method == .HEAD, context: context)
            }
        }

        private func write(_ answer: Answer, isHead: Bool, context: ChannelHandlerContext) {
            var headers = HTTPHeaders(answer.headers.map { ($0.0, $0.1) })
            if answer.isEndless || answer.hangs && answer.announced == nil {
                headers.add(name: "transfer-encoding", value: "chunked")
            } else {
                headers.add(name: "content-length", value: "\(answer.announced ?? answer.body.count)")
            }
            let status = HTTPResponseStatus(statusCode: answer.status)
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
            guard !isHead else {
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                return
            }
            let body = ByteBuffer(bytes: answer.cut.map { Array(answer.body.prefix($0)) } ?? answer.body)
            let written = context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(body))))
            if answer.isEndless { return goOn(context) }
            if answer.hangs { return }
            guard answer.cut == nil else {
                // Only after the bytes are out: a close does not wait for them.
                let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
                written.whenComplete { _ in bound.value.close(promise: nil) }
                return
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        /// Until the reader has had enough.
        private func goOn(_ context: ChannelHandlerContext) {
            let written = context.writeAndFlush(
                wrapOutboundOut(.body(.byteBuffer(ByteBuffer(repeating: 0, count: 1 << 16)))))
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            written.whenSuccess { bound.value.0.goOn(bound.value.1) }
        }
    }
}
