import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import NodeAgent

@Suite("Fetching a manifest over HTTP", .timeLimit(.minutes(5)))
struct HTTPManifestFetcherTests {
    /// Answers on the loopback interface by path.
    private final class Answerer: ChannelInboundHandler, Sendable {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            var headers = HTTPHeaders()
            var status = HTTPResponseStatus.ok
            var body = ByteBuffer()
            switch head.uri {
            case "/headers": body.writeString(head.headers["X-Key"].joined(separator: ","))
            case "/moved":
                status = .found
                headers.add(name: "Location", value: "/headers")
            case "/large": body.writeRepeatingByte(UInt8(ascii: "a"), count: ManifestFile.maximumBytes + 1)
            case "/limit": body.writeRepeatingByte(UInt8(ascii: "a"), count: ManifestFile.maximumBytes)
            case "/silent": return
            default: status = .notFound
            }
            headers.add(name: "Content-Length", value: "\(body.readableBytes)")
            let response = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            context.write(wrapOutboundOut(.head(response)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    private func fetch(
        _ path: String, timeout: Duration = .seconds(120)
    ) async throws -> Result<[UInt8], ManifestFetchError> {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answerer())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let fetcher = HTTPManifestFetcher(
            url: try ManifestURL(parsing: "http://127.0.0.1:\(port)\(path)"),
            headers: [("X-Key", "one"), ("X-Key", "two")], timeout: timeout)
        let result: Result<[UInt8], ManifestFetchError>
        do throws(ManifestFetchError) { result = .success(try await fetcher.fetch()) } catch {
            result = .failure(error)
        }
        await fetcher.shutdown()
        try await server.close().get()
        return result
    }

    @Test(
        "the body comes with the headers that were asked for, over a redirect too", arguments: ["/headers", "/moved"])
    func body(path: String) async throws {
        #expect(try await fetch(path).get() == Array("one,two".utf8))
    }

    @Test("a body of the largest size is taken, a larger one is not")
    func limit() async throws {
        #expect(try await fetch("/limit").get().count == ManifestFile.maximumBytes)
        let failure = try await fetch("/large")
        #expect(throws: ManifestFetchError("the answer is larger than the limit of 10485760 bytes")) {
            try failure.get()
        }
    }

    @Test("another status than 200 is no answer")
    func status() async throws {
        let failure = try await fetch("/nothing")
        #expect(throws: ManifestFetchError("the server answered 404 Not Found")) { try failure.get() }
    }

    @Test("a server that says nothing is given up")
    func silence() async throws {
        let failure = try await fetch("/silent", timeout: .milliseconds(50))
        #expect(throws: ManifestFetchError("no answer within 0.05 seconds")) { try failure.get() }
    }

    @Test("nobody there is an error with a reason")
    func refused() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        try await server.close().get()
        let fetcher = HTTPManifestFetcher(url: try ManifestURL(parsing: "http://127.0.0.1:\(port)/"))
        await #expect(throws: ManifestFetchError.self) { try await fetcher.fetch() }
        await fetcher.shutdown()
    }
}
