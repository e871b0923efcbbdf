internal import NIOCore
internal import NIOHTTP1

/// The head of a server's answer to an upgrade, as its bytes come in, and what follows it.
struct UpgradeAnswer {
    private let limit: Int
    private var head = ByteBuffer()
    private(set) var isWhole = false
    private(set) var status = 0
    private(set) var headers = HTTPHeaders()
    /// Bytes after the head.
    private(set) var rest = ByteBuffer()

    /// - Parameter limit: bytes of the head.
    init(limit: Int) {
        self.limit = limit
    }

    mutating func append(_ bytes: ByteBuffer) throws(StreamingError) {
        var bytes = bytes
        head.writeBuffer(&bytes)
        let view = head.readableBytesView
        guard let end = Self.end(of: view) else {
            guard view.count <= limit else { throw StreamingError("an answer's head has more than \(limit) bytes") }
            return
        }
        try parse(String(decoding: view[..<end], as: UTF8.self))
        head.moveReaderIndex(to: end)
        rest = head.slice()
        head = ByteBuffer()
        isWhole = true
    }

    mutating func appendRest(_ bytes: ByteBuffer) {
        var bytes = bytes
        rest.writeBuffer(&bytes)
    }

    /// The first that is no interim one (RFC 9110, 15.2).
    var isFinal: Bool { isWhole && (status == 101 || status >= 200) }

    /// Leaves an interim answer behind.
    mutating func goOn() throws(StreamingError) {
        let bytes = rest
        self = UpgradeAnswer(limit: limit)
        if bytes.readableBytes > 0 { try append(bytes) }
    }

    /// Bytes of the body; nil when its own form or the end of the connection ends it.
    var bodyLength: Int? {
        if status == 204 || status == 304 { return 0 }
        guard headers["transfer-encoding"].isEmpty else { return nil }
        return headers["content-length"].first.flatMap { Int($0) }.map { max(0, $0) }
    }

    /// The answer for the client that asked us, and what came with it. A refusal is the last thing on its connection.
    /// - Parameter answered: which headers go along.
    func bytes(_ answered: (HTTPHeaders) -> HTTPHeaders) -> ByteBuffer {
        var headers = answered(headers)
        if status != 101 {
            headers.remove(name: "Upgrade")
            headers.replaceOrAdd(name: "Connection", value: "close")
        }
        let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
        var bytes = ByteBuffer(string: "HTTP/1.1 \(status) \(reason)\r\n")
        bytes.writeHeaders(headers)
        bytes.writeImmutableBuffer(rest)
        return bytes
    }

    private static func end(of view: ByteBufferView) -> Int? {
        var run = 0
        let pattern: [UInt8] = [13, 10, 13, 10]
        for index in view.indices {
            run = view[index] == pattern[run] ? run + 1 : (view[index] == 13 ? 1 : 0)
            if run == pattern.count { return index + 1 }
        }
        return nil
    }

    private mutating func parse(_ text: String) throws(StreamingError) {
        var lines = text.split(separator: "\r\n")[...]
        let first = lines.popFirst()?.split(separator: " ", maxSplits: 2) ?? []
        guard first.count >= 2, first[0].hasPrefix("HTTP/1."), let code = Int(first[1]), (100...599).contains(code)
        else { throw StreamingError("the answer is not HTTP/1.1") }
        status = code
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw StreamingError("a header line has no colon") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.add(name: String(line[..<colon]), value: String(value))
        }
    }
}
