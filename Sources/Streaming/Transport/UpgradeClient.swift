internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import NIOSSL

/// Asks another server for an upgrade, and carries bytes between it and whoever asked us.
public struct UpgradeClient: Sendable {
    private static let connectTime = TimeAmount.seconds(10)
    /// For the answer: the node may have to start a process first.
    private static let answerTime = Duration.seconds(60)
    private static let headLimit = 64 << 10
    private static let refusalLimit = 64 << 10

    private let tls: NIOSSLContext?

    /// - Parameter tls: nil for plain connections.
    public init(tls: NIOSSLContext?) {
        self.tls = tls
    }

    /// Passes a request on to `host`:`port` and, if it is accepted there, everything after it, until either side ends.
    /// - Parameters:
    ///   - serverName: what the server's certificate must name; nil does not look at it.
    ///   - target: path and query there.
    public func tunnel(
        _ request: UpgradeRequest, _ exchange: UpgradeExchange, host: String, port: Int, serverName: String?,
        target: String
    ) async {
        let upstream: ByteChannel
        do { upstream = try await connect(host, port, serverName) } catch {
            return await exchange.refuse(status: 502, "error dialing backend \(host):\(port): \(error)")
        }
        // Until then whoever asked can be told what is wrong.
        var isAnswered = false
        do {
            try await upstream.executeThenClose { inbound, outbound in
                try await outbound.write(Self.head(of: request, host: "\(host):\(port)", target: target))
                var iterator = inbound.makeAsyncIterator()
                let timer = upstream.channel.eventLoop.scheduleTask(in: .seconds(60)) {
                    upstream.channel.close(promise: nil)
                }
                defer { timer.cancel() }
                var answer = UpgradeAnswer(limit: Self.headLimit)
                while !answer.isWhole {
                    guard let bytes = try await iterator.next() else {
                        isAnswered = true
                        return await exchange.refuse(status: 502, "the node ended the connection without an answer")
                    }
                    try answer.append(bytes)
                }
                timer.cancel()
                isAnswered = true
                guard answer.status == 101 else {
                    while answer.rest.readableBytes < answer.bodyLength(limit: Self.refusalLimit),
                        let bytes = try await iterator.next()
                    { answer.appendRest(bytes) }
                    return await exchange.refuse(
                        status: answer.status, contentType: answer.headers["content-type"].first ?? "text/plain",
                        body: Array(answer.rest.readableBytesView))
                }
                let downstream = try await exchange.accept(answer.forwardedHeaders)
                try await Self.join(downstream, upstream.channel, iterator, outbound, first: answer.rest)
            }
        } catch {
            guard isAnswered else {
                return await exchange.refuse(status: 502, "error dialing backend \(host):\(port): \(error)")
            }
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

    /// What concerns the upgrade goes along; who the client is does not.
    private static let passed: Set<String> = [
        "connection", "upgrade", "x-stream-protocol-version", "sec-websocket-key", "sec-websocket-version",
        "sec-websocket-protocol", "sec-websocket-extensions",
    ]

    static func head(of request: UpgradeRequest, host: String, target: String) -> ByteBuffer {
        var bytes = ByteBuffer(string: "\(request.method) \(target) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 0\r\n")
        for (name, value) in request.headers where passed.contains(name.lowercased()) {
            // The decoder that gave them lets no line break through; nothing of ours may depend on that.
            guard !value.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 0 }) else { continue }
            bytes.writeString("\(name): \(value)\r\n")
        }
        bytes.writeString("\r\n")
        return bytes
    }

    private static func join(
        _ downstream: ByteChannel, _ upstream: any Channel,
        _ iterator: consuming NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        _ toUpstream: NIOAsyncChannelOutboundWriter<ByteBuffer>, first: ByteBuffer
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
                group.addTask { await channel.awaitClose() }
                group.addTask {
                    do {
                        if first.readableBytes > 0 { try await outbound.write(first) }
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
}
