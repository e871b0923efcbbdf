internal import Glibc
public import NIOCore
public import NIOHTTP1
internal import NIOWebSocket

/// A request for another protocol.
public struct UpgradeRequest: Sendable {
    public let method: String
    /// Path and query, as sent.
    public let target: String
    public var headers: HTTPHeaders

    public init(method: String, target: String, headers: HTTPHeaders) {
        self.method = method
        self.target = target
        self.headers = headers
    }

    /// Else SPDY.
    public var isWebSocket: Bool { headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" } }

    /// Protocols the client offers, its favourite first.
    public var offeredProtocols: [String] {
        headers[canonicalForm: isWebSocket ? "sec-websocket-protocol" : "x-stream-protocol-version"].map(String.init)
    }

    /// The path in its segments, decoded; nil when an escape is broken or a segment tries to be more than one.
    public var pathSegments: [String]? {
        var segments: [String] = []
        let path = target.prefix { $0 != "?" }
        for part in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let segment = Percent.decode(part, plusIsSpace: false), !segment.isEmpty, !segment.contains("/"),
                segment != "..", segment != ".", !segment.utf8.contains(0)
            else { return nil }
            segments.append(segment)
        }
        return segments
    }

    /// A query string.
    public static func query(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }.joined(separator: "&")
    }

    /// Query parameters in their order; those with broken escapes are left out.
    public var query: [(name: String, value: String)] {
        guard let start = target.firstIndex(of: "?") else { return [] }
        return target[target.index(after: start)...].split(separator: "&").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Percent.decode(parts[0], plusIsSpace: true),
                let value = Percent.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { return nil }
            return (name, value)
        }
    }
}

/// The answer to an ``UpgradeRequest``, to be given once.
public struct UpgradeExchange: Sendable {
    let channel: any Channel

    /// The connection, whose certificate says who asks.
    public var connection: any Channel { channel }

    /// How the bytes of the connection are cut.
    public enum Framing: Sendable {
        case bytes, webSocketMessages
    }

    /// Headers of a WebSocket handshake's answer (RFC 6455, 4.2.2).
    /// - Throws: when the request is no valid handshake.
    public func webSocketHeaders(
        for request: UpgradeRequest, protocolName: String
    ) async throws(StreamingError) -> HTTPHeaders {
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: request.target, headers: request.headers)
        do {
            var headers = try await upgrader.buildUpgradeResponse(
                channel: channel, upgradeRequest: head, initialResponseHeaders: [:]
            ).get()
            headers.replaceOrAdd(name: "Connection", value: "Upgrade")
            headers.replaceOrAdd(name: "Upgrade", value: "websocket")
            headers.replaceOrAdd(name: "Sec-WebSocket-Protocol", value: protocolName)
            return headers
        } catch { throw StreamingError("the WebSocket handshake is not valid: \(error)") }
    }

    /// Answers 101 and gives the connection as it goes on.
    public func accept(_ headers: HTTPHeaders, framing: Framing = .bytes) async throws -> ByteChannel {
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        try await channel.writeAndFlush(HTTPServerResponsePart.head(head))
        try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        return try await takeOver(framing: framing)
    }

    /// Gives the connection as it goes on, for an answer that somebody else makes: it is the first to be written.
    func takeOver(framing: Framing = .bytes) async throws -> ByteChannel {
        await watchPeer()
        let channel = channel
        let made = try await channel.eventLoop.flatSubmit { () -> EventLoopFuture<ByteChannel> in
            do {
                let pipeline = channel.pipeline.syncOperations
                let encoder = try pipeline.handler(type: HTTPResponseEncoder.self)
                let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
                let collector = try pipeline.handler(type: RequestHeadCollector.self)
                let idle = IdleStateHandler(allTimeout: UpgradedConnectionHandler.idleTimeout)
                try pipeline.addHandler(idle)
                if framing == .webSocketMessages {
                    try pipeline.addHandlers([
                        WebSocketFrameEncoder(),
                        ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: WebSocketMessages.messageLimit)),
                        WebSocketProtocolErrorHandler(),
                        NIOWebSocketFrameAggregator(
                            minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 4096,
                            maxAccumulatedFrameSize: WebSocketMessages.messageLimit),
                        WebSocketMessages(),
                    ])
                }
                try pipeline.addHandler(UpgradedConnectionHandler())
                let wrapped = try ByteChannel(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(
                        // Messages may be large.
                        backPressureStrategy: framing == .bytes
                            ? .init(lowWatermark: 2, highWatermark: 8) : .init(lowWatermark: 1, highWatermark: 2),
                        isOutboundHalfClosureEnabled: false))
                // The decoder last: it gives what came after the head to those that are there by then.
                let removed = pipeline.removeHandler(encoder).and(pipeline.removeHandler(collector))
                let bound = NIOLoopBound((pipeline, decoder, idle), eventLoop: channel.eventLoop)
                return removed.flatMap { _ in
                    let (pipeline, decoder, _) = bound.value
                    return pipeline.removeHandler(decoder)
                }.flatMapThrowing { _ in
                    // It does not say that this was all for now, which those behind it wait for. Before it stands TLS, which would not
                    // let the word through.
                    let (pipeline, _, idle) = bound.value
                    try pipeline.context(handler: idle).fireChannelReadComplete()
                    return wrapped
                }
            } catch { return channel.eventLoop.makeFailedFuture(error) }
        }.get()
        return made
    }

    /// A peer that vanishes without a word is noticed within some minutes, however quiet the session is.
    private func watchPeer() async {
        let options: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] = [
            (.init(level: .socket, name: .so_keepalive), 1),
            (.init(level: .tcp, name: .init(rawValue: TCP_KEEPIDLE)), 60),
            (.init(level: .tcp, name: .init(rawValue: TCP_KEEPINTVL)), 20),
            (.init(level: .tcp, name: .init(rawValue: TCP_KEEPCNT)), 3),
        ]
        // Of a unix socket there is nothing to watch.
        for (option, value) in options { try? await channel.setOption(option, value: value).get() }
    }

    /// Answers with an error instead; the connection ends with it.
    public func refuse(status: Int, contentType: String = "text/plain; charset=utf-8", body: [UInt8]) async {
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: contentType)
        headers.add(name: "Content-Length", value: "\(body.count)")
        headers.add(name: "Connection", value: "close")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        try? await channel.writeAndFlush(HTTPServerResponsePart.head(head))
        try? await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: body))))
        try? await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        try? await channel.close()
    }

    public func refuse(status: Int, _ message: String) async {
        await refuse(status: status, body: Array((message + "\n").utf8))
    }
}

/// RFC 3986 escapes.
enum Percent {
    /// Nil when an escape is broken or the result is not UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    static func encode(_ text: some StringProtocol) -> String {
        let hex = Array("0123456789ABCDEF".unicodeScalars)
        var encoded = String.UnicodeScalarView()
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                encoded.append(UnicodeScalar(byte))
            default: encoded.append(contentsOf: ["%", hex[Int(byte >> 4)], hex[Int(byte & 15)]])
            }
        }
        return String(encoded)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
