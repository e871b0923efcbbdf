/// RFC 9562 version 4 identifiers, in their lowercase text form.
enum UniqueIdentifier {
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Names for `generateName`: the prefix and five characters that make no words.
enum GeneratedName {
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
    private static let suffixLength = 5
    /// A generated name stays a valid label.
    private static let prefixLimit = 63 - suffixLength

    static func make(prefix: String) -> String {
        var generator = SystemRandomNumberGenerator()
        let suffix = (0..<suffixLength).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
        return String(decoding: prefix.utf8.prefix(prefixLimit) + suffix, as: UTF8.self)
    }
}
