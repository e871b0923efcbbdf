public import NIOCore

/// Frames of SPDY/3.1 to bytes and back, for one side of one connection. Incremental: any cut of the input gives the same frames.
///
/// Whatever arrives, it never keeps more than one control frame; the length of data frames does not matter.
public struct SPDYFrameCodec {
    /// Bytes of a control frame. The specification asks for 8 KiB at least.
    public static let controlFrameLimit = 64 << 10
    private static let headerCountLimit = 256

    private enum Kind {
        static let synStream: UInt16 = 1
        static let synReply: UInt16 = 2
        static let reset: UInt16 = 3
        static let settings: UInt16 = 4
        static let ping: UInt16 = 6
        static let goAway: UInt16 = 7
        static let headers: UInt16 = 8
        static let windowUpdate: UInt16 = 9
    }

    private static let version: UInt16 = 3
    private static let lastFlag: UInt8 = 1
    private static let streamMask: UInt32 = 0x7fff_ffff

    private var input = ByteBuffer()
    /// Of a data frame whose rest has not arrived.
    private var openData: (id: UInt32, left: Int, isLast: Bool)?
    private let inflater: SPDYHeaderInflater
    private let deflater: SPDYHeaderDeflater

    public init() throws(StreamingError) {
        inflater = try SPDYHeaderInflater()
        deflater = try SPDYHeaderDeflater()
    }

    // MARK: Reading

    /// Takes bytes as they arrive; ``next()`` gives what they complete.
    public mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
    }

    /// The next frame, or piece of a data frame; nil until more arrives.
    public mutating func next() throws(StreamingError) -> SPDYFrame? {
        if let data = openData { return continueData(data) }
        guard let first = input.getInteger(at: input.readerIndex, as: UInt32.self),
            let second = input.getInteger(at: input.readerIndex + 4, as: UInt32.self)
        else { return nil }
        let (flags, length) = (UInt8(second >> 24), Int(second & 0xff_ffff))
        if first >> 31 == 0 {
            input.moveReaderIndex(forwardBy: 8)
            return continueData((first, length, flags & Self.lastFlag != 0))
        }
        guard UInt16(first >> 16) & 0x7fff == Self.version else {
            throw StreamingError("a frame is not of SPDY version 3")
        }
        guard length <= Self.controlFrameLimit else {
            throw StreamingError("a control frame of \(length) bytes is larger than \(Self.controlFrameLimit)")
        }
        guard input.readableBytes >= 8 + length else { return nil }
        input.moveReaderIndex(forwardBy: 8)
        guard var payload = input.readSlice(length: length) else { return nil }
        let frame = try control(UInt16(first & 0xffff), flags & Self.lastFlag != 0, &payload)
        input.discardReadBytes()
        return frame
    }

    private mutating func continueData(_ data: (id: UInt32, left: Int, isLast: Bool)) -> SPDYFrame? {
        let count = min(data.left, input.readableBytes)
        guard count > 0 || data.left == 0, let piece = input.readSlice(length: count) else {
            openData = data
            return nil
        }
        let left = data.left - count
        openData = left == 0 ? nil : (data.id, left, data.isLast)
        return .data(id: data.id, piece, isLast: left == 0 && data.isLast)
    }

    private func control(
        _ kind: UInt16, _ isLast: Bool, _ payload: inout ByteBuffer
    ) throws(StreamingError) -> SPDYFrame {
        switch kind {
        case Kind.synStream:
            let id = try stream(&payload)
            // Associated stream, priority and slot say nothing here.
            guard payload.readSlice(length: 6) != nil else { throw Self.short }
            return .openStream(id: id, headers: try headers(payload), isLast: isLast)
        case Kind.synReply:
            return .reply(id: try stream(&payload), headers: try headers(payload), isLast: isLast)
        case Kind.headers:
            return .headers(id: try stream(&payload), headers: try headers(payload), isLast: isLast)
        case Kind.reset:
            let id = try stream(&payload)
            guard let status = payload.readInteger(as: UInt32.self) else { throw Self.short }
            return .reset(id: id, status: status)
        case Kind.ping:
            guard let id = payload.readInteger(as: UInt32.self) else { throw Self.short }
            return .ping(id: id)
        case Kind.goAway: return .goAway(lastStream: try stream(&payload))
        case Kind.settings, Kind.windowUpdate: return .ignored
        default: return .ignored
        }
    }

    private static let short = StreamingError("a control frame is too short for its kind")

    private func stream(_ payload: inout ByteBuffer) throws(StreamingError) -> UInt32 {
        guard let id = payload.readInteger(as: UInt32.self) else { throw Self.short }
        return id & Self.streamMask
    }

    private func headers(_ compressed: ByteBuffer) throws(StreamingError) -> [SPDYHeader] {
        let bytes = Array(compressed.readableBytesView)
        if bytes.isEmpty { return [] }
        var block = ByteBuffer(bytes: try inflater.inflateBlock(bytes))
        guard let count = block.readInteger(as: UInt32.self), count <= UInt32(Self.headerCountLimit) else {
            throw StreamingError("a header block has more than \(Self.headerCountLimit) headers")
        }
        var headers: [SPDYHeader] = []
        for _ in 0..<count {
            headers.append(SPDYHeader(name: try text(&block).lowercased(), value: try text(&block)))
        }
        return headers
    }

    private func text(_ block: inout ByteBuffer) throws(StreamingError) -> String {
        guard let length = block.readInteger(as: UInt32.self), let text = block.readString(length: Int(length)) else {
            throw StreamingError("a header reaches beyond its block")
        }
        return text
    }

    // MARK: Writing

    /// - Returns: no bytes for ``SPDYFrame/ignored``.
    public func encode(_ frame: SPDYFrame) -> ByteBuffer {
        switch frame {
        case .openStream(let id, let headers, let isLast):
            return control(Kind.synStream, isLast, [id, 0], [0, 0] + block(headers))
        case .reply(let id, let headers, let isLast): return control(Kind.synReply, isLast, [id], block(headers))
        case .headers(let id, let headers, let isLast): return control(Kind.headers, isLast, [id], block(headers))
        case .reset(let id, let status): return control(Kind.reset, false, [id, status])
        case .ping(let id): return control(Kind.ping, false, [id])
        case .goAway(let last): return control(Kind.goAway, false, [last, 0])
        case .data(let id, let bytes, let isLast): return data(id, bytes, isLast)
        case .ignored: return ByteBuffer()
        }
    }

    private func control(_ kind: UInt16, _ isLast: Bool, _ words: [UInt32], _ rest: [UInt8] = []) -> ByteBuffer {
        var output = ByteBuffer()
        output.writeInteger(0x8000 | Self.version)
        output.writeInteger(kind)
        output.writeInteger((isLast ? UInt32(Self.lastFlag) << 24 : 0) | UInt32(words.count * 4 + rest.count))
        for word in words { output.writeInteger(word) }
        output.writeBytes(rest)
        return output
    }

    private func data(_ id: UInt32, _ bytes: ByteBuffer, _ isLast: Bool) -> ByteBuffer {
        // A frame's length has 24 bits.
        let largest = 0xff_ffff
        var (bytes, output) = (bytes, ByteBuffer())
        output.reserveCapacity(bytes.readableBytes + 8)
        repeat {
            var piece = bytes.readSlice(length: min(largest, bytes.readableBytes)) ?? ByteBuffer()
            output.writeInteger(id & Self.streamMask)
            let isEnd = isLast && bytes.readableBytes == 0
            output.writeInteger((isEnd ? UInt32(Self.lastFlag) << 24 : 0) | UInt32(piece.readableBytes))
            output.writeBuffer(&piece)
        } while bytes.readableBytes > 0
        return output
    }

    private func block(_ headers: [SPDYHeader]) -> [UInt8] {
        var block = ByteBuffer()
        block.writeInteger(UInt32(headers.count))
        for header in headers {
            for text in [header.name, header.value] {
                block.writeInteger(UInt32(text.utf8.count))
                block.writeString(text)
            }
        }
        return deflater.deflateBlock(Array(block.readableBytesView))
    }
}
