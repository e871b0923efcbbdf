/// Writes protocol-buffer messages field by field; only what the OpenAPI document needs.
struct ProtobufWriter: Sendable {
    private(set) var bytes: [UInt8] = []

    mutating func string(_ field: UInt64, _ value: String) {
        if value.isEmpty { return }
        lengthDelimited(field, Array(value.utf8))
    }

    mutating func bool(_ field: UInt64, _ value: Bool) {
        guard value else { return }
        varint(field << 3)
        varint(1)
    }

    /// A message; an empty one is written too, because its presence may mean something.
    mutating func message(_ field: UInt64, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        lengthDelimited(field, inner.bytes)
    }

    private mutating func lengthDelimited(_ field: UInt64, _ content: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
