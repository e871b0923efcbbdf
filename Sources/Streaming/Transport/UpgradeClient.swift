internal import NIOCore
public import NIOHTTP1
internal import NIOPosix
public import NIOSSL

/// Asks another server for an upgrade, and carries bytes between it and whoever asked us.
///
/// As with kube-apiserver, a session is over for both sides when either ends: what it had sent before is still delivered.
public struct UpgradeClient: Sendable {
    private static let connectTime = TimeAmount.seconds(10)
    /// For the answer (a node may have to start a process first), and for all of one that is a refusal.
    private static let answerTime = TimeAmount.seconds(60)
    private static let headLimit = 64 << 10
    /// For a server that is slow to take what its client said last.
    private static let drainTime = Duration.seconds(10)

    private let tls: NIOSSLContext?

    /// - Parameter tls: nil for plain connections.
    public init(tls: NIOSSLContext?) {
        self.tls = tls
    }

    /// Passes a session of a pod on to `host`:`port` and, if it is accepted there, everything after it, until either side ends. What
    /// concerns the session goes along; who the client is does not.
    /// - Parameters:
    ///   - serverName: what the server's certificate must name; nil does not look at it.
    ///   - target: path and query there.
    public func tunnel(
        _ request: UpgradeRequest, _ exchange: UpgradeExchange, host: String, port: Int, serverName: String?,
        target: String
    ) async {
        let headers = HTTPHeaders(request.headers.filter { Self.passed.contains($0.name.lowercased()) })
        var passed = UpgradeRequest(method: request.method, target: target, headers: headers)
        passed.headers.add(name: "Host", value: "\(host):\(port)")
        passed.headers.add(name: "Content-Length", value: "0")
        await relay(passed, exchange, host: host, port: port, serverName: serverName) { Self.answered($0) }
    }

    /// Passes a request on as it is, and the server's answer back with everything after it, until either side ends.
    /// - Parameters:
    ///   - request: with path, query and headers as they are meant for the server; `Connection` and `Upgrade` among them.
    ///   - serverName: what the server's certificate must name; nil does not look at it.
    ///   - answered: which of the answer's headers go back, and how; those that say where a refusal's body ends must be among them.
    public func relay(
        _ request: UpgradeRequest, _ exchange: UpgradeExchange, host: String, port: Int, serverName: String?,
        answered: @Sendable (HTTPHeaders) -> HTTPHeaders
    ) async {
        func failure(_ reason: String) async {
            await exchange.refuse(status: 502, "error dialing backend \(host):\(port): \(reason)")
        }
        let upstream: ByteChannel
        do { upstream = try await connect(host, port, serverName) } catch { return await failure("\(error)") }
        // Until then whoever asked can be told what is wrong.
        var isAnswered = false
        do {
            try await upstream.executeThenClose { inbound, outbound in
                try await outbound.write(Self.head(of: request))
                var iterator = inbound.makeAsyncIterator()
                let timer = upstream.channel.eventLoop.scheduleTask(in: Self.answerTime) {
                    upstream.channel.close(promise: nil)
                }
                defer { timer.cancel() }
                var answer = UpgradeAnswer(limit: Self.headLimit)
                while !answer.isFinal {
                    if answer.isWhole {
                        try answer.goOn()
                        continue
                    }
                    guard let bytes = try await iterator.next() else {
                        isAnswered = true
                        return await failure("it ended the connection without an answer")
                    }
                    try answer.append(bytes)
                }
                isAnswered = true
                let downstream = try await exchange.takeOver()
                if answer.status == 101 {
                    timer.cancel()
                    try await Self.join(downstream, upstream.channel, iterator, outbound, first: answer.bytes(answered))
                } else {
                    // A client that has all of it leaves, however long the server would stay.
                    let channel = upstream.channel
                    downstream.channel.closeFuture.whenComplete { _ in channel.close(promise: nil) }
                    try await Self.passRefusal(answer, answered, iterator, downstream)
                }
            }
        } catch {
            guard isAnswered else { return await failure("\(error)") }
            exchange.connection.close(promise: nil)
        }
    }

    private func connect(_ host: String, _ port: Int, _ serverName: String?) async throws -> ByteChannel {
        let tls = tls
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(Self.connectTime)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: serverName))
                    }
                    return try ByteChannel(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(backPressureStrategy: .init(lowWatermark: 2, highWatermark: 8)))
                }
            }
    }

    private static let passed: Set<String> = [
        "connection", "upgrade", "x-stream-protocol-version", "sec-websocket-key", "sec-websocket-version",
        "sec-websocket-protocol", "sec-websocket-extensions",
    ]

    /// Headers of a session's answer for the client that asked us.
    private static func answered(_ headers: HTTPHeaders) -> HTTPHeaders {
        let passed: Set<String> = [
            "connection", "content-length", "content-type", "sec-websocket-accept", "sec-websocket-extensions",
            "sec-websocket-protocol", "transfer-encoding", "upgrade", "x-stream-protocol-version",
        ]
        return HTTPHeaders(headers.filter { passed.contains($0.name.lowercased()) })
    }

    static func head(of request: UpgradeRequest) -> ByteBuffer {
        var bytes = ByteBuffer(string: "\(request.method) \(request.target) HTTP/1.1\r\n")
        bytes.writeHeaders(request.headers)
        return bytes
    }

    private static func join(
        _ downstream: ByteChannel, _ upstream: any Channel, _ iterator: consuming ByteReader.AsyncIterator,
        _ toUpstream: ByteWriter, first: ByteBuffer
    ) async throws {
        let channel = downstream.channel
        let fromUpstream = IteratorBox(iterator)
        try await downstream.executeThenClose { inbound, outbound in
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        for try await bytes in inbound { try await toUpstream.write(bytes) }
                        await upstream.flushWrites()
                    } catch {}
                }
                group.addTask {
                    await channel.awaitClose()
                    try? await ContinuousClock().sleep(for: drainTime)
                }
                group.addTask {
                    do {
                        try await outbound.write(first)
                        while let bytes = try await fromUpstream.next() { try await outbound.write(bytes) }
                    } catch {}
                    await channel.flushWrites()
                }
                await group.next()
                group.cancelAll()
                upstream.close(promise: nil)
            }
        }
    }

    /// The body goes as it comes, to its end by its length, else by the connection's.
    private static func passRefusal(
        _ answer: UpgradeAnswer, _ answered: (HTTPHeaders) -> HTTPHeaders,
        _ iterator: consuming ByteReader.AsyncIterator, _ downstream: ByteChannel
    ) async throws {
        let channel = downstream.channel
        let fromUpstream = IteratorBox(iterator)
        let first = answer.bytes(answered)
        var missing = answer.bodyLength.map { $0 - answer.rest.readableBytes }
        try await downstream.executeThenClose { _, outbound in
            try await outbound.write(first)
            while missing ?? 1 > 0, let bytes = try await fromUpstream.next() {
                try await outbound.write(bytes)
                missing = missing.map { $0 - bytes.readableBytes }
            }
            await channel.flushWrites()
        }
    }
}

extension ByteBuffer {
    /// The lines of a head, and the empty one that ends it.
    mutating func writeHeaders(_ headers: HTTPHeaders) {
        for (name, value) in headers {
            // The decoder that gave them lets no line break through; nothing of ours may depend on that.
            guard !value.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 0 }) else { continue }
            writeString("\(name): \(value)\r\n")
        }
        writeString("\r\n")
    }
}
