internal import KubernetesAPI
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOWebSocket

/// The client's side of exec and attach over a node's own socket: version 5 of the remote command protocol in a WebSocket.
public struct RemoteCommandClient: Sendable {
    private static let headLimit = 64 << 10
    private static let refusalLimit = 64 << 10
    private static let ended = StreamingError("the node ended the session")

    /// One thread waits for input, one each may wait for the outputs' readers.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 3)
        pool.start()
        return pool
    }()

    private let socketPath: String
    private let input: Int32
    private let output: BlockingOutput
    private let error: BlockingOutput

    /// The descriptors stay the caller's own.
    /// - Parameter input: -1 sends none.
    public init(socketPath: String, input: Int32, output: Int32, error: Int32) {
        self.socketPath = socketPath
        self.input = input
        self.output = BlockingOutput(output, pool: Self.threads)
        self.error = BlockingOutput(error, pool: Self.threads)
    }

    /// Runs the session to its end.
    /// - Parameters:
    ///   - target: path and query at the node.
    ///   - sizes: of the terminal, from the first on.
    /// - Throws: when the node cannot be reached, or refuses; in words for a person.
    public func run(
        _ target: String, sizes: AsyncStream<TerminalSize>?
    ) async throws(StreamingError) -> RemoteCommandStatus {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: socketPath) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try ByteChannel(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(backPressureStrategy: .init(lowWatermark: 2, highWatermark: 8)))
                    }
                }
            return try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(Self.head(target))
                var iterator = inbound.makeAsyncIterator()
                var answer = UpgradeAnswer(limit: Self.headLimit)
                while !answer.isWhole {
                    guard let bytes = try await iterator.next() else { throw Self.ended }
                    try answer.append(bytes)
                }
                guard answer.status == 101 else {
                    while answer.rest.readableBytes < min(answer.bodyLength ?? .max, Self.refusalLimit),
                        let bytes = try await iterator.next()
                    { answer.appendRest(bytes) }
                    throw Self.refusal(answer)
                }
                return try await session(iterator, outbound, answer.rest, sizes)
            }
        } catch let error as StreamingError { throw error } catch {
            throw StreamingError("the node at \(socketPath) does not answer: \(error)")
        }
    }

    private static func refusal(_ answer: UpgradeAnswer) -> StreamingError {
        let text = String(buffer: answer.rest).split(separator: "\n").joined(separator: " ")
        return StreamingError(text.isEmpty ? "the node answers \(answer.status)" : text)
    }

    static func head(_ target: String) -> ByteBuffer {
        // A nonce, no secret: it shows that the answer is to this request.
        let key = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        return ByteBuffer(
            string: "GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(Base64.encode(key))\r\n"
                + "Sec-WebSocket-Protocol: \(RemoteCommandProtocol.webSocket5.name)\r\n\r\n")
    }

    // MARK: The session

    private func session(
        _ iterator: consuming ByteReader.AsyncIterator, _ outbound: ByteWriter, _ first: ByteBuffer,
        _ sizes: AsyncStream<TerminalSize>?
    ) async throws -> RemoteCommandStatus {
        let source = input >= 0 ? try BlockingInput(input, pool: Self.threads) : nil
        let reader = IteratorBox(iterator)
        return try await withThrowingTaskGroup(of: RemoteCommandStatus?.self) { group in
            if let source {
                group.addTask {
                    await Self.send(source, outbound)
                    return nil
                }
            }
            if let sizes {
                group.addTask {
                    for await size in sizes { try? await outbound.write(Self.message(.resize, size.document)) }
                    return nil
                }
            }
            group.addTask { try await receive(reader, outbound, first) }
            defer { group.cancelAll() }
            while let result = try await group.next() { if let result { return result } }
            throw Self.ended
        }
    }

    /// Takes the command's output until its status is there.
    private func receive(
        _ reader: IteratorBox, _ outbound: ByteWriter, _ first: ByteBuffer
    ) async throws -> RemoteCommandStatus {
        var codec = WebSocketClientCodec()
        codec.append(first)
        while true {
            while let message = try codec.next() {
                switch message {
                case .close: throw Self.ended
                case .ping(let bytes): try await outbound.write(WebSocketClientCodec.pong(bytes, mask: Self.mask))
                case .binary(let bytes):
                    if let status = try await take(bytes) { return status }
                }
            }
            guard let bytes = try await reader.next() else { throw Self.ended }
            codec.append(bytes)
        }
    }

    /// - Returns: the end, if that is what the message tells.
    private func take(_ message: ByteBuffer) async throws -> RemoteCommandStatus? {
        var message = message
        guard let number = message.readInteger(as: UInt8.self), let channel = RemoteCommandChannel(rawValue: number)
        else { return nil }
        switch channel {
        case .standardOutput: try await output.write(message)
        case .standardError: try await error.write(message)
        // An empty one says that the session is open.
        case .error: return message.readableBytes > 0 ? RemoteCommandStatus(document: message) : nil
        case .standardInput, .resize: break
        }
        return nil
    }

    private static func send(_ source: BlockingInput, _ outbound: ByteWriter) async {
        do {
            while let bytes = await source.next() { try await outbound.write(message(.standardInput, bytes)) }
            guard !Task.isCancelled else { return }
            let close = ByteBuffer(bytes: [
                RemoteCommandChannel.closeNumber, RemoteCommandChannel.standardInput.rawValue,
            ])
            try await outbound.write(WebSocketClientCodec.binary(close, mask: mask))
        } catch {
            // A connection that is gone is told by what is read from it.
        }
    }

    private static func message(_ channel: RemoteCommandChannel, _ bytes: ByteBuffer) -> ByteBuffer {
        WebSocketClientCodec.binary(channel.message(bytes), mask: mask)
    }

    private static var mask: WebSocketMaskingKey { .random() }
}
