/// Finds one part of a JSON document and reads only that.
///
/// The document counts as well-formed: it was read or written before. One that is not gives nil or a wrong part, never
/// a read outside of it.
struct JSONPartReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The part that the member names lead to; nil when there is none.
    mutating func find(_ path: [String]) -> JSONValue? {
        for name in path {
            guard enter(name) else { return nil }
        }
        skipSpace()
        let start = position
        guard skipValue(), position > start else { return nil }
        let part = UnsafeBufferPointer(rebasing: bytes[start..<position])
        return try? JSONValue(parsing: part)
    }

    /// Moves to the value of a member of the object at `position`.
    private mutating func enter(_ name: String) -> Bool {
        skipSpace()
        guard peek() == UInt8(ascii: "{") else { return false }
        position += 1
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { return false }
            let start = position + 1
            guard skipString() else { return false }
            // A name with an escape is not one that is looked for.
            let isWanted = bytes[start..<(position - 1)].elementsEqual(name.utf8)
            skipSpace()
            guard peek() == UInt8(ascii: ":") else { return false }
            position += 1
            if isWanted { return true }
            skipSpace()
            guard skipValue() else { return false }
            skipSpace()
            guard peek() == UInt8(ascii: ",") else { return false }
            position += 1
        }
    }

    /// Moves behind the value at `position`.
    private mutating func skipValue() -> Bool {
        switch peek() {
        case nil: return false
        case UInt8(ascii: "\"")?: return skipString()
        case UInt8(ascii: "{")?, UInt8(ascii: "[")?: return skipContainer()
        default:
            while let byte = peek(), byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte != UInt8(ascii: "]"),
                byte > 0x20
            {
                position += 1
            }
            return true
        }
    }

    private mutating func skipContainer() -> Bool {
        var depth = 0
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                guard skipString() else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            position += 1
            if depth == 0 { return true }
        }
        return false
    }

    /// Moves behind the string at `position`.
    private mutating func skipString() -> Bool {
        position += 1
        while let byte = peek() {
            position += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "\\") { position += 1 }
        }
        return false
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte <= 0x20 { position += 1 }
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }
}

extension JSONValue {
    /// One part of a document that is known to be well-formed, found without reading the rest of it.
    ///
    /// - Parameter path: the names of the members on the way.
    public static func part(_ path: [String], of document: [UInt8]) -> JSONValue? {
        document.withUnsafeBufferPointer { bytes in
            var reader = JSONPartReader(bytes)
            return reader.find(path)
        }
    }
}
