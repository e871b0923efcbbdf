/// A strict RFC 8259 parser over the bytes of one document.
struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let limits: JSONLimits
    private var position = 0
    private var depth = 0
    /// Where members that were given more than once are; nil: there may be none.
    private(set) var duplicates: [String]?
    /// The way to the value being read, kept only while duplicates are noted.
    private var path = FieldPath.root

    /// Duplicates named at most; they are all the same mistake.
    private static let duplicateLimit = 32

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Of a member that is given more than once, the last counts, and its path is noted.
    static func noting(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) -> JSONParser {
        var parser = JSONParser(bytes, limits: limits)
        parser.duplicates = []
        return parser
    }

    mutating func parseDocument() throws(JSONSyntaxError) -> JSONValue {
        guard bytes.count <= limits.maximumBytes else {
            throw failure("document of \(bytes.count) bytes is larger than the limit of \(limits.maximumBytes)", at: 0)
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw failure("starts with a byte order mark, which JSON does not allow; remove it", at: 0)
        }
        skipSpace()
        let value = try parseValue()
        skipSpace()
        guard position == bytes.count else { throw failure("unexpected \(found) after the end of the value") }
        return value
    }

    private mutating func parseValue() throws(JSONSyntaxError) -> JSONValue {
        guard position < bytes.count else { throw failure("unexpected end of the document") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try parseObject()
        case UInt8(ascii: "["): return try parseArray()
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw failure("unexpected \(found), expected a value")
        }
    }

    private mutating func parseObject() throws(JSONSyntaxError) -> JSONValue {
        try open()
        var members: [String: JSONValue] = [:]
        skipSpace()
        if peek() == UInt8(ascii: "}") {
            close()
            return .object(members)
        }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw failure("unexpected \(found), expected an object key") }
            let keyStart = position
            let key = try parseString()
            skipSpace()
            guard peek() == UInt8(ascii: ":") else { throw failure("unexpected \(found), expected \":\"") }
            position += 1
            skipSpace()
            if duplicates != nil { path.elements.append(.field(key)) }
            let value = try parseValue()
            if members.updateValue(value, forKey: key) != nil {
                guard let noted = duplicates else {
                    throw failure("duplicate key \"\(key.prefix(64))\"", at: keyStart)
                }
                if noted.count < Self.duplicateLimit { duplicates?.append(path.description) }
            }
            if duplicates != nil { path.elements.removeLast() }
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                close()
                return .object(members)
            default: throw failure("unexpected \(found), expected \",\" or \"}\"")
            }
        }
    }

    private mutating func parseArray() throws(JSONSyntaxError) -> JSONValue {
        try open()
        var elements: [JSONValue] = []
        skipSpace()
        if peek() == UInt8(ascii: "]") {
            close()
            return .array(elements)
        }
        while true {
            skipSpace()
            if duplicates != nil { path.elements.append(.index(elements.count)) }
            elements.append(try parseValue())
            if duplicates != nil { path.elements.removeLast() }
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                close()
                return .array(elements)
            default: throw failure("unexpected \(found), expected \",\" or \"]\"")
            }
        }
    }

    private mutating func open() throws(JSONSyntaxError) {
        depth += 1
        guard depth <= limits.maximumDepth else {
            throw failure("nested deeper than the limit of \(limits.maximumDepth)")
        }
        position += 1
    }

    private mutating func close() {
        depth -= 1
        position += 1
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        let matches =
            end <= bytes.count
            && word.withUTF8Buffer { word in
                bytes[position..<end].elementsEqual(word)
            }
        guard matches else { throw failure("unexpected \(found), expected a value") }
        position = end
        return value
    }

    private mutating func parseNumber() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        let integerStart = position
        guard skipDigits() > 0 else { throw failure("a number needs digits after \"-\"") }
        if bytes[integerStart] == UInt8(ascii: "0"), position > integerStart + 1 {
            throw failure("a number must not start with 0", at: start)
        }
        var isInteger = true
        if peek() == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else { throw failure("a number needs digits after \".\"") }
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else { throw failure("a number needs digits in its exponent") }
        }
        return isInteger ? try integer(from: start, digits: integerStart) : try double(from: start)
    }

    private func integer(from start: Int, digits: Int) throws(JSONSyntaxError) -> JSONValue {
        let isNegative = digits > start
        var value: Int64 = 0
        for byte in bytes[digits..<position] {
            let digit = Int64(byte - 0x30)
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            if overflow || sumOverflow { throw failure("the integer does not fit into 64 bits", at: start) }
            value = sum
        }
        // "-0" is the one integer that Int64 cannot tell apart; its sign carries no meaning in the API.
        return .integer(value)
    }

    private func double(from start: Int) throws(JSONSyntaxError) -> JSONValue {
        // Reading is linear in the digits; the bound only keeps a hostile document from making one huge temporary.
        guard position - start <= 4096 else { throw failure("the number is longer than 4096 digits", at: start) }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
            throw failure("the number does not fit into a double", at: start)
        }
        return .double(value)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 { position += 1 }
        return position - start
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private var found: String {
        guard let byte = peek() else { return "end of the document" }
        if byte > 0x20, byte < 0x7F { return "\"\(Character(Unicode.Scalar(byte)))\"" }
        return "byte 0x\(String(byte, radix: 16))"
    }

    private func failure(_ reason: String, at offset: Int? = nil) -> JSONSyntaxError {
        JSONSyntaxError(reason, at: offset ?? position, in: bytes)
    }
}

extension JSONParser {
    /// Reads a string; `position` is at its opening quote.
    private mutating func parseString() throws(JSONSyntaxError) -> String {
        let start = position
        position += 1
        let contentStart = position
        scanPlain()
        if peek() == UInt8(ascii: "\"") {
            let content = UnsafeBufferPointer(rebasing: bytes[contentStart..<position])
            position += 1
            return try validated(content, at: start)
        }
        var content = Array(bytes[contentStart..<position])
        while true {
            guard let byte = peek() else { throw failure("the string has no end", at: start) }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try content.withUnsafeBufferPointer { (content) throws(JSONSyntaxError) in
                    try validated(content, at: start)
                }
            case UInt8(ascii: "\\"):
                try parseEscape(into: &content)
            default:
                guard byte >= 0x20 else { throw failure("control character in a string; write it as an escape") }
                let runStart = position
                scanPlain()
                content.append(contentsOf: bytes[runStart..<position])
            }
        }
    }

    /// Moves over bytes that stand for themselves.
    private mutating func scanPlain() {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
            position += 1
        }
    }

    private func validated(_ content: UnsafeBufferPointer<UInt8>, at start: Int) throws(JSONSyntaxError) -> String {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw failure("the string is not valid UTF-8", at: start)
        }
        return text
    }

    private mutating func parseEscape(into content: inout [UInt8]) throws(JSONSyntaxError) {
        let start = position
        position += 1
        guard let kind = peek() else { throw failure("the escape has no end", at: start) }
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(kind)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try parseHex(from: start))
            if code >= 0xD800, code < 0xDC00, peek() == UInt8(ascii: "\\"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                let low = UInt32(try parseHex(from: start))
                guard low >= 0xDC00, low < 0xE000 else { throw failure("a lone surrogate in an escape", at: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("a lone surrogate in an escape", at: start) }
            content.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default:
            throw failure("unknown escape in a string", at: start)
        }
    }

    private mutating func parseHex(from start: Int) throws(JSONSyntaxError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("the escape has no end", at: start) }
        var value: UInt16 = 0
        for byte in bytes[position..<(position + 4)] {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - 0x30
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - 0x57
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - 0x37
            default: throw failure("an escape needs four hexadecimal digits", at: start)
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }
}

extension JSONValue {
    /// Reads one JSON document (RFC 8259), strictly: UTF-8 is checked, and duplicate keys, lone surrogates, a byte
    /// order mark, integers beyond 64 bits, numbers beyond a double and anything after the value are errors.
    public init(
        parsing bytes: some Sequence<UInt8>, limits: JSONLimits = .default
    ) throws(JSONSyntaxError) {
        func parse(_ buffer: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, JSONSyntaxError> {
            Result { () throws(JSONSyntaxError) in
                var parser = JSONParser(buffer, limits: limits)
                return try parser.parseDocument()
            }
        }
        let result = bytes.withContiguousStorageIfAvailable(parse) ?? Array(bytes).withUnsafeBufferPointer(parse)
        self = try result.get()
    }

    /// The same, but for members that are given more than once: the last counts, and where they are is told.
    public static func parsingWithDuplicates(
        _ bytes: some Sequence<UInt8>, limits: JSONLimits = .default
    ) throws(JSONSyntaxError) -> (value: JSONValue, duplicates: [String]) {
        func parse(_ buffer: UnsafeBufferPointer<UInt8>) -> Result<(JSONValue, [String]), JSONSyntaxError> {
            Result { () throws(JSONSyntaxError) in
                var strict = JSONParser(buffer, limits: limits)
                // Nearly every body has none, and needs no record of the way.
                if let value = try? strict.parseDocument() { return (value, []) }
                var parser = JSONParser.noting(buffer, limits: limits)
                return (try parser.parseDocument(), parser.duplicates ?? [])
            }
        }
        let result = bytes.withContiguousStorageIfAvailable(parse) ?? Array(bytes).withUnsafeBufferPointer(parse)
        return try result.get()
    }

    /// Reads one JSON document from a string.
    public init(parsing text: String, limits: JSONLimits = .default) throws(JSONSyntaxError) {
        try self.init(parsing: text.utf8, limits: limits)
    }
}
