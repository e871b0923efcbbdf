/// What a jailed process says while it parses an archive, before its reply: a byte that no ``UnpackReply`` begins with, and a number.
enum ArchiveMessage: Hashable {
    /// It wants bytes of the archive from that place on: their number comes back (UInt32), and so many bytes; none at the end.
    case read(offsetBytes: Int64)
    /// It has come to the wanted entry of this number.
    case entry(Int)
    /// So many bytes of the entry follow; none at its end.
    case data(count: Int)

    static let encodedBytes = 9
    /// The most bytes of one ``data(count:)``.
    static let dataLimitBytes = 1 << 17

    var encoded: [UInt8] {
        var encoder = JailEncoder()
        switch self {
        case .read(let offsetBytes):
            encoder.add(UInt8(0x81))
            encoder.add(offsetBytes)
        case .entry(let number):
            encoder.add(UInt8(0x82))
            encoder.add(Int64(number))
        case .data(let count):
            encoder.add(UInt8(0x83))
            encoder.add(Int64(count))
        }
        return encoder.bytes
    }

    /// Whether a message begins with this byte, and no reply.
    static func begins(with byte: UInt8) -> Bool { byte >= 0x80 }

    init(decoding bytes: [UInt8]) throws(JailDecoder.Failure) {
        var decoder = JailDecoder(bytes)
        let kind = try decoder.integer(UInt8.self)
        let number = try decoder.integer(Int64.self)
        guard number >= 0 else { throw decoder.failure("is a negative number") }
        switch kind {
        case 0x81: self = .read(offsetBytes: number)
        case 0x82: self = .entry(Int(number))
        case 0x83:
            guard number <= Self.dataLimitBytes else { throw decoder.failure("is more data than one message has") }
            self = .data(count: Int(number))
        default: throw decoder.failure("is an unknown message")
        }
        try decoder.end()
    }
}
