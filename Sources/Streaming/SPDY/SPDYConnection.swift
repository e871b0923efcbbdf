public import NIOCore

/// The server's side of a SPDY connection: many streams over one sequence of bytes. Pure: bytes in, events and bytes out.
public struct SPDYConnection {
    public enum Event: Hashable, Sendable {
        /// The client waits for ``accept(_:)`` or ``reset(_:status:)``.
        case opened(id: UInt32, headers: [SPDYHeader])
        case data(id: UInt32, ByteBuffer)
        /// The client sends nothing more on it.
        case inputClosed(id: UInt32)
        case reset(id: UInt32)
        /// The client opens no more streams.
        case goAway
    }

    private struct Stream {
        var isInputOpen = true
        var isOutputOpen = true
    }

    private let streamLimit: Int
    private var codec: SPDYFrameCodec
    private var streams: [UInt32: Stream] = [:]
    private var lastStream: UInt32 = 0

    /// - Parameter streamLimit: streams open at a time; further ones are refused.
    public init(streamLimit: Int) throws(StreamingError) {
        self.streamLimit = streamLimit
        codec = try SPDYFrameCodec()
    }

    public var openStreams: Int { streams.count }

    /// - Returns: what happened, and what is to be sent for it.
    public mutating func receive(_ bytes: ByteBuffer) throws(StreamingError) -> (events: [Event], reply: ByteBuffer) {
        codec.append(bytes)
        var events: [Event] = []
        var reply = ByteBuffer()
        while let frame = try codec.next() {
            switch frame {
            case .openStream(let id, let headers, let isLast):
                try open(id, headers, isLast, &events, &reply)
            case .data(let id, let piece, let isLast): receive(piece, on: id, isLast, &events, &reply)
            case .headers(let id, _, let isLast), .reply(let id, _, let isLast):
                if isLast { closeInput(of: id, &events) }
            case .reset(let id, _):
                if streams.removeValue(forKey: id) != nil { events.append(.reset(id: id)) }
            case .ping(let id): append(.ping(id: id), to: &reply)
            case .goAway: events.append(.goAway)
            case .ignored: break
            }
        }
        return (events, reply)
    }

    private mutating func open(
        _ id: UInt32, _ headers: [SPDYHeader], _ isLast: Bool, _ events: inout [Event], _ reply: inout ByteBuffer
    ) throws(StreamingError) {
        guard id > lastStream, id % 2 == 1 else {
            throw StreamingError("stream \(id) is not a new one of a client, after \(lastStream)")
        }
        lastStream = id
        guard streams.count < streamLimit else {
            append(.reset(id: id, status: SPDYResetStatus.refusedStream), to: &reply)
            return
        }
        streams[id] = Stream()
        events.append(.opened(id: id, headers: headers))
        if isLast { closeInput(of: id, &events) }
    }

    private mutating func receive(
        _ piece: ByteBuffer, on id: UInt32, _ isLast: Bool, _ events: inout [Event], _ reply: inout ByteBuffer
    ) {
        guard let stream = streams[id], stream.isInputOpen else {
            // One that was never opened; on one that is over the client's data may still be on its way.
            if id > lastStream { append(.reset(id: id, status: SPDYResetStatus.invalidStream), to: &reply) }
            return
        }
        if piece.readableBytes > 0 { events.append(.data(id: id, piece)) }
        if isLast { closeInput(of: id, &events) }
    }

    private mutating func closeInput(of id: UInt32, _ events: inout [Event]) {
        guard let stream = streams[id], stream.isInputOpen else { return }
        streams[id]?.isInputOpen = false
        if !stream.isOutputOpen { streams[id] = nil }
        events.append(.inputClosed(id: id))
    }

    private func append(_ frame: SPDYFrame, to output: inout ByteBuffer) {
        var bytes = codec.encode(frame)
        output.writeBuffer(&bytes)
    }

    // MARK: Sending

    /// Tells the client that its stream is there.
    public func accept(_ id: UInt32) -> ByteBuffer { codec.encode(.reply(id: id, headers: [], isLast: false)) }

    /// Data on a stream; no bytes when nobody takes it any more.
    public mutating func send(_ bytes: ByteBuffer, on id: UInt32, isLast: Bool = false) -> ByteBuffer {
        guard let stream = streams[id], stream.isOutputOpen else { return ByteBuffer() }
        if isLast {
            streams[id]?.isOutputOpen = false
            if !stream.isInputOpen { streams[id] = nil }
        }
        return codec.encode(.data(id: id, bytes, isLast: isLast))
    }

    /// Ends a stream both ways.
    public mutating func reset(_ id: UInt32, status: UInt32) -> ByteBuffer {
        streams[id] = nil
        return codec.encode(.reset(id: id, status: status))
    }

    public func goAway() -> ByteBuffer { codec.encode(.goAway(lastStream: lastStream)) }
}
