import CLinux

/// Builds the body of a netlink message: fixed fields, then attributes, each padded to four bytes (netlink(7)).
///
/// Nothing here fails: a message whose attribute outgrew its 16-bit length is marked, and sending it is refused.
struct NetlinkWriter {
    private(set) var bytes: [UInt8] = []
    /// An attribute was longer than its length field can say.
    private(set) var isOversized = false

    /// Appends an integer in the byte order of the machine, which is netlink's.
    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    /// Replaces the four bytes at `offset`.
    mutating func patch(_ value: UInt32, at offset: Int) {
        withUnsafeBytes(of: value) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
    }

    /// An attribute holding raw bytes.
    mutating func attribute(_ type: some BinaryInteger, _ payload: some Collection<UInt8>) {
        guard let length = UInt16(exactly: payload.count + 4) else {
            isOversized = true
            return
        }
        append(length)
        append(UInt16(truncatingIfNeeded: type))
        bytes.append(contentsOf: payload)
        pad()
    }

    /// An attribute holding a NUL-terminated string.
    mutating func attribute(_ type: some BinaryInteger, string: String) {
        attribute(type, Array(string.utf8) + [0])
    }

    /// An attribute holding one integer in host order.
    mutating func attribute(_ type: some BinaryInteger, integer: some FixedWidthInteger) {
        attribute(type, withUnsafeBytes(of: integer) { Array($0) })
    }

    /// An attribute holding what `body` appends.
    mutating func nested(_ type: some BinaryInteger, _ body: (inout NetlinkWriter) -> Void) {
        var inner = NetlinkWriter()
        body(&inner)
        isOversized = isOversized || inner.isOversized
        attribute(type, inner.bytes)
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }
}
