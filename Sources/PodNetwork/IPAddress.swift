/// An IPv4 or IPv6 address without zone.
public struct IPAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    public enum Family: Int, Hashable, Sendable, Comparable {
        case v4 = 4
        case v6 = 6

        /// Bits of an address.
        public var bitWidth: Int { self == .v4 ? 32 : 128 }

        public static func < (left: Family, right: Family) -> Bool { left.rawValue < right.rawValue }
    }

    public let family: Family
    /// The address as a number; an IPv4 address is in the low 32 bits.
    let value: UInt128

    init(family: Family, value: UInt128) {
        self.family = family
        self.value = family == .v4 ? value & 0xffff_ffff : value
    }

    /// In network order: 4 bytes are IPv4, 16 are IPv6, anything else is no address.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.init(family: bytes.count == 4 ? .v4 : .v6, value: bytes.reduce(0) { $0 << 8 | UInt128($1) })
    }

    /// Strict: four decimal numbers without leading zeros, or RFC 4291 section 2.2 (`::` at most once, the last 32 bits
    /// may be dotted). No zone, no brackets, no spaces.
    public init?(_ text: some StringProtocol) {
        if let value = Self.parseV4(text) {
            self.init(family: .v4, value: UInt128(value))
        } else if let value = Self.parseV6(text) {
            self.init(family: .v6, value: value)
        } else {
            return nil
        }
    }

    /// In network order.
    public var bytes: [UInt8] {
        (0..<family.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: value >> UInt128($0 * 8)) }
    }

    /// `0.0.0.0` or `::`, which stands for every address of the machine.
    public var isUnspecified: Bool { value == 0 }
    public var isLoopback: Bool { family == .v4 ? value >> 24 == 127 : value == 1 }
    public var isLinkLocal: Bool { family == .v4 ? value >> 16 == 0xa9fe : value >> 118 == 0x3fa }
    public var isMulticast: Bool { family == .v4 ? value >> 28 == 0xe : value >> 120 == 0xff }

    /// IPv4 sorts before IPv6, then by number.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.family == right.family ? left.value < right.value : left.family < right.family
    }

    /// Canonical: dotted, or as in RFC 5952.
    public var description: String {
        family == .v4 ? bytes.map(String.init).joined(separator: ".") : Self.formatV6(value)
    }
}

extension IPAddress {
    private static func parseV4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var number: UInt32 = 0
            for digit in part {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
                number = number * 10 + UInt32(digit - UInt8(ascii: "0"))
            }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func parseV6(_ text: some StringProtocol) -> UInt128? {
        // 45 characters is the longest form: six groups and a dotted tail.
        guard text.utf8.count <= 45 else { return nil }
        let halves = splitAtGap(String(text))
        guard let head = groups(halves.head, mayEndDotted: halves.tail == nil) else { return nil }
        guard let tailText = halves.tail else { return head.count == 8 ? number(head) : nil }
        guard let tail = groups(tailText, mayEndDotted: true), head.count + tail.count <= 7 else { return nil }
        return number(head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail)
    }

    /// What is before and after the first `::`.
    private static func splitAtGap(_ text: String) -> (head: String, tail: String?) {
        let bytes = Array(text.utf8)
        let colon = UInt8(ascii: ":")
        for index in bytes.indices.dropLast() where bytes[index] == colon && bytes[index + 1] == colon {
            return (
                String(decoding: bytes[..<index], as: UTF8.self), String(decoding: bytes[(index + 2)...], as: UTF8.self)
            )
        }
        return (text, nil)
    }

    private static func groups(_ text: String, mayEndDotted: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (position, part) in parts.enumerated() {
            let word = String(decoding: part, as: UTF8.self)
            if mayEndDotted, position == parts.count - 1, let dotted = parseV4(word) {
                groups += [UInt16(dotted >> 16), UInt16(truncatingIfNeeded: dotted)]
            } else {
                // UInt16(_:radix:) would also take a sign.
                guard (1...4).contains(part.count), word.first != "+", word.first != "-",
                    let group = UInt16(word, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    private static func number(_ groups: [UInt16]) -> UInt128 { groups.reduce(0) { $0 << 16 | UInt128($1) } }

    private static func formatV6(_ value: UInt128) -> String {
        let groups = (0..<8).reversed().map { UInt16(truncatingIfNeeded: value >> UInt128($0 * 16)) }
        // The first of the longest runs of at least two zero groups becomes `::`.
        var gap = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > gap.count { gap = start..<end }
            start = max(end, start + 1)
        }
        let text = groups.map { String($0, radix: 16) }
        if gap.isEmpty { return text.joined(separator: ":") }
        return text[..<gap.lowerBound].joined(separator: ":") + "::" + text[gap.upperBound...].joined(separator: ":")
    }
}
