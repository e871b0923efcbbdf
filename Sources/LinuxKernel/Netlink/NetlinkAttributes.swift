import SystemPackage

/// The attributes of a message or of a nested attribute, by type. The last of several of one type counts.
struct NetlinkAttributes {
    /// NLA_F_NESTED and NLA_F_NET_BYTEORDER are the two bits above the type.
    private static let typeMask: UInt16 = 0x3fff

    private var payloads: [UInt16: ArraySlice<UInt8>] = [:]

    /// Reads them with every length checked; EBADMSG when one passes the end.
    init(parsing bytes: ArraySlice<UInt8>) throws(KernelError) {
        var rest = bytes
        // Fewer than four bytes left are padding.
        while rest.count >= 4 {
            guard let length = rest.integer(UInt16.self, at: 0), let type = rest.integer(UInt16.self, at: 2),
                length >= 4, length <= rest.count
            else { throw KernelError("parse netlink attribute", errno: .badMessage) }
            payloads[type & Self.typeMask] = rest.prefix(Int(length)).dropFirst(4)
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
    }

    subscript(type: some BinaryInteger) -> ArraySlice<UInt8>? { payloads[UInt16(truncatingIfNeeded: type)] }

    func integer<Value: FixedWidthInteger>(_ type: some BinaryInteger, as: Value.Type = Value.self) -> Value? {
        self[type]?.integer(Value.self, at: 0)
    }

    /// A string up to its NUL, or to the end when there is none.
    func string(_ type: some BinaryInteger) -> String? {
        self[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func nested(_ type: some BinaryInteger) throws(KernelError) -> NetlinkAttributes? {
        guard let payload = self[type] else { return nil }
        return try NetlinkAttributes(parsing: payload)
    }
}
