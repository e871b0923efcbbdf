internal import KubernetesAPI
public import NIOCore

/// The server's side of one exec or attach, on either transport. Pure: bytes in, events and bytes out.
///
/// Over SPDY the bytes are the connection's; over WebSocket each buffer is one message.
public struct RemoteCommandSession {
    public enum Event: Hashable, Sendable {
        /// All streams are there: the command may start. Comes once, before any other.
        case ready
        case input(ByteBuffer)
        /// The client has sent all its input.
        case inputClosed
        case resize(TerminalSize)
    }

    public enum Output: Sendable {
        case standardOutput, standardError
    }

    private enum Wire {
        case spdy(SPDYConnection)
        case webSocket
    }

    public let request: RemoteCommandRequest
    public let version: RemoteCommandProtocol
    private var wire: Wire
    /// SPDY: the client's streams by what they are for.
    private var streams: [RemoteCommandChannel: UInt32] = [:]
    private var isReady = false
    private var isInputClosed = false
    private var isFinished = false
    private var resizes = TerminalSizeReader()

    public init(_ request: RemoteCommandRequest, version: RemoteCommandProtocol) throws(StreamingError) {
        self.request = request
        self.version = version
        // Five at most make sense.
        wire = version.isWebSocket ? .webSocket : .spdy(try SPDYConnection(streamLimit: 8))
    }

    /// The streams that a client opens for this request.
    private var expected: Set<RemoteCommandChannel> {
        var channels: Set<RemoteCommandChannel> = [.error]
        if request.hasInput { channels.insert(.standardInput) }
        if request.hasOutput { channels.insert(.standardOutput) }
        if request.hasError { channels.insert(.standardError) }
        if request.isTerminal, version.hasResize { channels.insert(.resize) }
        return channels
    }

    /// To be called first: what is to be sent unasked, and whether all is there already.
    public mutating func begin() -> (events: [Event], reply: [ByteBuffer]) {
        guard case .webSocket = wire else { return ([], []) }
        isReady = true
        let first: RemoteCommandChannel =
            request.hasOutput ? .standardOutput : request.hasError ? .standardError : .error
        // An empty message tells the client that the session is open.
        return ([.ready], [first.message(ByteBuffer())])
    }

    public mutating func receive(_ bytes: ByteBuffer) throws(StreamingError) -> (events: [Event], reply: [ByteBuffer]) {
        switch wire {
        case .spdy(var connection):
            // Moved out while it changes, so that it is not copied.
            wire = .webSocket
            defer { wire = .spdy(connection) }
            return try receive(bytes, &connection)
        case .webSocket: return (try receive(message: bytes), [])
        }
    }

    private mutating func receive(
        _ bytes: ByteBuffer, _ connection: inout SPDYConnection
    ) throws(StreamingError) -> (events: [Event], reply: [ByteBuffer]) {
        let (news, answer) = try connection.receive(bytes)
        var events: [Event] = []
        var reply = answer.readableBytes > 0 ? [answer] : []
        for event in news {
            switch event {
            case .opened(let id, let headers):
                let kind = headers.first { $0.name == "streamtype" }?.value ?? ""
                guard let channel = RemoteCommandChannel(streamType: kind), expected.contains(channel),
                    streams[channel] == nil
                else { throw StreamingError("stream type \"\(kind)\" is none of this request's, or there twice") }
                streams[channel] = id
                reply.append(connection.accept(id))
                if !isReady, streams.count == expected.count {
                    isReady = true
                    events.append(.ready)
                }
            case .data(let id, let piece):
                guard let channel = channel(of: id) else { break }
                if let event = try take(piece, from: channel) { events += event }
            case .inputClosed(let id), .reset(let id):
                if channel(of: id) == .standardInput { closeInput(&events) }
            case .goAway: break
            }
        }
        return (events, reply)
    }

    private func channel(of id: UInt32) -> RemoteCommandChannel? { streams.first { $0.value == id }?.key }

    private mutating func receive(message: ByteBuffer) throws(StreamingError) -> [Event] {
        var message = message
        guard let number = message.readInteger(as: UInt8.self) else { return [] }
        var events: [Event] = []
        if number == RemoteCommandChannel.closeNumber, version.hasClose {
            if message.readInteger(as: UInt8.self) == RemoteCommandChannel.standardInput.rawValue {
                closeInput(&events)
            }
            return events
        }
        guard let channel = RemoteCommandChannel(rawValue: number) else {
            throw StreamingError("there is no channel \(number)")
        }
        return try take(message, from: channel) ?? []
    }

    private mutating func take(
        _ piece: ByteBuffer, from channel: RemoteCommandChannel
    ) throws(StreamingError) -> [Event]? {
        switch channel {
        case .standardInput:
            return request.hasInput && !isInputClosed && piece.readableBytes > 0 ? [.input(piece)] : nil
        case .resize: return request.isTerminal ? try resizes.append(piece).map { .resize($0) } : nil
        // What a client sends where it should listen is nothing to us.
        case .standardOutput, .standardError, .error: return nil
        }
    }

    private mutating func closeInput(_ events: inout [Event]) {
        guard request.hasInput, !isInputClosed else { return }
        isInputClosed = true
        events.append(.inputClosed)
    }

    // MARK: Sending

    /// Output as it is to be sent; nil when the client did not ask for it.
    public mutating func send(_ bytes: ByteBuffer, on output: Output) -> ByteBuffer? {
        guard !isFinished else { return nil }
        let channel: RemoteCommandChannel = output == .standardOutput ? .standardOutput : .standardError
        guard output == .standardOutput ? request.hasOutput : request.hasError else { return nil }
        return encode(bytes, on: channel, isLast: false)
    }

    /// The end of the session: every stream closed, the status last.
    public mutating func finish(_ status: RemoteCommandStatus) -> [ByteBuffer] {
        guard !isFinished else { return [] }
        isFinished = true
        let document = version.hasStatusDocument ? status.document : ByteBuffer(string: status.text)
        var output: [ByteBuffer] = []
        if case .spdy = wire {
            for channel in [RemoteCommandChannel.standardOutput, .standardError] {
                if let bytes = encode(ByteBuffer(), on: channel, isLast: true) { output.append(bytes) }
            }
        }
        if document.readableBytes > 0 || version.isWebSocket == false {
            if let bytes = encode(document, on: .error, isLast: true) { output.append(bytes) }
        }
        if case .spdy(let connection) = wire { output.append(connection.goAway()) }
        return output
    }

    private mutating func encode(_ bytes: ByteBuffer, on channel: RemoteCommandChannel, isLast: Bool) -> ByteBuffer? {
        switch wire {
        case .webSocket: return channel.message(bytes)
        case .spdy(var connection):
            guard let id = streams[channel] else { return nil }
            wire = .webSocket
            defer { wire = .spdy(connection) }
            return connection.send(bytes, on: id, isLast: isLast)
        }
    }
}
