public import NIOCore

/// The server's side of a port-forward: connections, each a pair of streams of one SPDY connection. Pure.
public struct PortForwardSession {
    /// Names one connection within its session: the number of its data stream.
    public typealias Connection = UInt32

    public enum Event: Hashable, Sendable {
        case connect(Connection, port: UInt16)
        case data(Connection, ByteBuffer)
        /// The client sends nothing more.
        case inputClosed(Connection)
        /// The client has given it up.
        case reset(Connection)
    }

    /// Name of the protocol over SPDY.
    public static let protocolName = "portforward.k8s.io"
    /// Of the same bytes in binary WebSocket messages.
    public static let tunnelProtocolName = "SPDY/3.1+portforward.k8s.io"
    /// Connections of one session at a time; each has two streams.
    public static let connectionLimit = 256
    /// Bytes kept of a data stream whose error stream has not come.
    private static let earlyDataLimit = 64 << 10

    private struct Pair {
        var error: UInt32?
        var data: UInt32?
        var port: UInt16
        var early = ByteBuffer()
        var hasEarlyEnd = false
        var isWhole: Bool { error != nil && data != nil }
    }

    private var spdy: SPDYConnection
    /// By the client's request identifier.
    private var waiting: [String: Pair] = [:]
    private var identifiers: [UInt32: String] = [:]
    /// Error streams of the connections that are there, by data stream.
    private var errors: [Connection: UInt32] = [:]

    public init() throws(StreamingError) {
        spdy = try SPDYConnection(streamLimit: Self.connectionLimit * 2)
    }

    public mutating func receive(_ bytes: ByteBuffer) throws(StreamingError) -> (events: [Event], reply: ByteBuffer) {
        var (news, reply) = try spdy.receive(bytes)
        var events: [Event] = []
        for event in news {
            switch event {
            case .opened(let id, let headers): open(id, headers, &events, &reply)
            case .data(let id, let piece): receive(piece, on: id, &events, &reply)
            case .inputClosed(let id):
                if errors[id] != nil { events.append(.inputClosed(id)) } else { noteEarlyEnd(of: id) }
            case .reset(let id):
                if errors.removeValue(forKey: id) != nil { events.append(.reset(id)) }
                forget(id)
            case .goAway: break
            }
        }
        return (events, reply)
    }

    private mutating func open(
        _ id: UInt32, _ headers: [SPDYHeader], _ events: inout [Event], _ reply: inout ByteBuffer
    ) {
        func header(_ name: String) -> String { headers.first { $0.name == name }?.value ?? "" }
        let (kind, identifier) = (header("streamtype"), header("requestid"))
        guard let port = UInt16(header("port")), port > 0, kind == "data" || kind == "error" else {
            return append(spdy.reset(id, status: SPDYResetStatus.protocolError), to: &reply)
        }
        var pair = waiting[identifier] ?? Pair(port: port)
        guard pair.port == port, kind == "data" ? pair.data == nil : pair.error == nil else {
            return append(spdy.reset(id, status: SPDYResetStatus.protocolError), to: &reply)
        }
        append(spdy.accept(id), to: &reply)
        if kind == "data" { pair.data = id } else { pair.error = id }
        identifiers[id] = identifier
        waiting[identifier] = pair
        guard pair.isWhole, let data = pair.data, let error = pair.error else { return }
        waiting[identifier] = nil
        identifiers[data] = nil
        identifiers[error] = nil
        errors[data] = error
        events.append(.connect(data, port: port))
        if pair.early.readableBytes > 0 { events.append(.data(data, pair.early)) }
        if pair.hasEarlyEnd { events.append(.inputClosed(data)) }
    }

    private mutating func receive(
        _ piece: ByteBuffer, on id: UInt32, _ events: inout [Event], _ reply: inout ByteBuffer
    ) {
        if errors[id] != nil { return events.append(.data(id, piece)) }
        guard let identifier = identifiers[id], var pair = waiting[identifier], pair.data == id else { return }
        guard pair.early.readableBytes + piece.readableBytes <= Self.earlyDataLimit else {
            append(spdy.reset(id, status: SPDYResetStatus.cancel), to: &reply)
            return forget(id)
        }
        var piece = piece
        pair.early.writeBuffer(&piece)
        waiting[identifier] = pair
    }

    private mutating func noteEarlyEnd(of id: UInt32) {
        guard let identifier = identifiers[id], waiting[identifier]?.data == id else { return }
        waiting[identifier]?.hasEarlyEnd = true
    }

    private mutating func forget(_ id: UInt32) {
        guard let identifier = identifiers.removeValue(forKey: id) else { return }
        if let pair = waiting.removeValue(forKey: identifier) {
            for other in [pair.data, pair.error] { if let other { identifiers[other] = nil } }
        }
    }

    private func append(_ bytes: ByteBuffer, to output: inout ByteBuffer) {
        var bytes = bytes
        output.writeBuffer(&bytes)
    }

    // MARK: Sending

    public mutating func send(_ bytes: ByteBuffer, on connection: Connection) -> ByteBuffer {
        spdy.send(bytes, on: connection)
    }

    /// The pod's side has ended.
    /// - Parameter failure: in words for the person at the client.
    public mutating func finish(_ connection: Connection, failure: String? = nil) -> ByteBuffer {
        guard let error = errors.removeValue(forKey: connection) else { return ByteBuffer() }
        // The reason first: a client that sees its data end looks for one.
        var output = spdy.send(ByteBuffer(string: failure ?? ""), on: error, isLast: true)
        append(spdy.send(ByteBuffer(), on: connection, isLast: true), to: &output)
        return output
    }

    public func goAway() -> ByteBuffer { spdy.goAway() }
}
