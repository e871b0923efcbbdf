import NIOCore

/// Cuts a byte stream into lines; every byte is searched once and copied once, however the chunks fall.
struct WatchLineFramer {
    /// A line longer than the limit: the server is broken or not an API server.
    struct LineTooLong: Error, Hashable { var limit: Int }

    private var buffer = ByteBuffer()
    /// Readable bytes already known to hold no newline.
    private var searched = 0
    private let limit: Int

    /// - Parameter limit: the longest line in bytes, without its newline.
    init(limit: Int) { self.limit = limit }

    /// Bytes of an unfinished line.
    var pendingBytes: Int { buffer.readableBytes }

    mutating func append(_ chunk: ByteBuffer) {
        var chunk = chunk
        if buffer.readableBytes == 0 {
            buffer = chunk
            searched = 0
            return
        }
        // Shifting is paid for by the bytes consumed since the last shift, so the total stays linear.
        if buffer.readerIndex > buffer.readableBytes { buffer.discardReadBytes() }
        buffer.writeBuffer(&chunk)
    }

    /// The next complete, non-blank line without its newline, or nil when more bytes are needed.
    mutating func nextLine() throws(LineTooLong) -> [UInt8]? {
        while true {
            let view = buffer.readableBytesView
            let start = view.index(view.startIndex, offsetBy: searched)
            guard let newline = view[start...].firstIndex(of: UInt8(ascii: "\n")) else {
                searched = view.count
                guard view.count <= limit else { throw LineTooLong(limit: limit) }
                return nil
            }
            let length = view.distance(from: view.startIndex, to: newline)
            guard length <= limit else { throw LineTooLong(limit: limit) }
            let line = buffer.readBytes(length: length) ?? []
            buffer.moveReaderIndex(forwardBy: 1)
            searched = 0
            if line.contains(where: { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: " ") }) { return line }
        }
    }
}
