/// Writes compact JSON.
struct JSONSerializer {
    private(set) var bytes: [UInt8] = []
    private let sortedKeys: Bool

    init(sortedKeys: Bool) {
        self.sortedKeys = sortedKeys
        bytes.reserveCapacity(512)
    }

    mutating func append(_ value: JSONValue) {
        switch value {
        case .null: append(word: "null")
        case .bool(let value): append(word: value ? "true" : "false")
        case .integer(let value): append(integer: value)
        case .double(let value): bytes.append(contentsOf: JSONNumberText.text(of: value).utf8)
        case .string(let value): append(string: value)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(element)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            append(object: members)
        }
    }

    private mutating func append(object members: [String: JSONValue]) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        if sortedKeys, members.count > 1 {
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                append(key: key, isFirst: &isFirst)
                append(value)
            }
        } else {
            for (key, value) in members {
                append(key: key, isFirst: &isFirst)
                append(value)
            }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func append(key: String, isFirst: inout Bool) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        append(string: key)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func append(word text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(integer value: Int64) {
        if value >= 0, value < 10 {
            bytes.append(0x30 + UInt8(value))
        } else {
            bytes.append(contentsOf: String(value).utf8)
        }
    }

    private mutating func append(string: String) {
        var string = string
        bytes.append(UInt8(ascii: "\""))
        string.withUTF8 { text in
            var runStart = 0
            for index in text.indices {
                let byte = text[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: text[runStart..<index])
                runStart = index + 1
                append(escaped: byte)
            }
            bytes.append(contentsOf: text[runStart...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(escaped byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            append(word: "u00")
            for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
        }
    }
}

extension JSONValue {
    /// Compact JSON in UTF-8.
    ///
    /// - Parameter sortedKeys: object members by key, so that equal values give equal bytes.
    public func serialized(sortedKeys: Bool = true) -> [UInt8] {
        var serializer = JSONSerializer(sortedKeys: sortedKeys)
        serializer.append(self)
        return serializer.bytes
    }
}
