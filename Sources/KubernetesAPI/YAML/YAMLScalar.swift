/// What an unquoted YAML 1.1 scalar means, resolved the way Kubernetes' own tools do.
enum YAMLScalar {
    enum Flaw: Error {
        case integerTooLarge
        case notRepresentable
    }

    /// Booleans and nulls by name, then integers (decimal, octal with a leading 0 or `0o`, `0x`, `0b`; underscores
    /// allowed), then floating-point numbers; everything else, dates included, is a string.
    static func resolve(_ text: String) throws(Flaw) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true)
        case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .bool(false)
        case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
            throw .notRepresentable
        default: break
        }
        guard let first = text.utf8.first, isNumberStart(first) else { return .string(text) }
        let digits = Array(text.utf8.filter { $0 != UInt8(ascii: "_") })
        if let integer = try integer(digits) { return .integer(integer) }
        if let double = try double(digits) { return double }
        return .string(text)
    }

    /// A floating-point number; a whole one becomes an integer, as it does on its way through Go's JSON.
    static func number(_ value: Double) throws(Flaw) -> JSONValue {
        guard value.isFinite else { throw .notRepresentable }
        if abs(value) < 1e18, let whole = Int64(exactly: value) { return .integer(whole) }
        return .double(value)
    }

    private static func isNumberStart(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".")
    }

    /// Nil when this is no integer.
    private static func integer(_ text: [UInt8]) throws(Flaw) -> Int64? {
        var rest = text[...]
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        var radix: Int64 = 10
        if rest.first == UInt8(ascii: "0"), rest.count > 1 {
            rest = rest.dropFirst()
            switch rest.first {
            case UInt8(ascii: "x"), UInt8(ascii: "X"): radix = 16
            case UInt8(ascii: "o"), UInt8(ascii: "O"): radix = 8
            case UInt8(ascii: "b"), UInt8(ascii: "B"): radix = 2
            default: radix = 0
            }
            if radix == 0 { radix = 8 } else { rest = rest.dropFirst() }
        }
        guard !rest.isEmpty else { return nil }
        var value: Int64 = 0
        var isTooLarge = false
        for byte in rest {
            guard let digit = Self.digit(byte), digit < radix else { return nil }
            if isTooLarge { continue }
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, sumOverflow) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            isTooLarge = overflow || sumOverflow
            value = sum
        }
        if isTooLarge { throw .integerTooLarge }
        return value
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int64(byte - 0x30)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int64(byte - 0x57)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int64(byte - 0x37)
        default: nil
        }
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; nil for anything else.
    private static func double(_ text: [UInt8]) throws(Flaw) -> JSONValue? {
        var position = 0
        func peek() -> UInt8? { position < text.count ? text[position] : nil }
        func skipDigits() -> Int {
            let start = position
            while let byte = peek(), (0x30...0x39).contains(byte) { position += 1 }
            return position - start
        }
        func skipSign() {
            if peek() == UInt8(ascii: "-") || peek() == UInt8(ascii: "+") { position += 1 }
        }
        skipSign()
        let whole = skipDigits()
        if peek() == UInt8(ascii: ".") {
            position += 1
            let fraction = skipDigits()
            guard whole > 0 || fraction > 0 else { return nil }
        } else if whole == 0 {
            return nil
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            position += 1
            skipSign()
            guard skipDigits() > 0 else { return nil }
        }
        guard position == text.count, text.count <= 4096 else { return nil }
        guard let value = Double(String(decoding: text, as: UTF8.self)) else { return nil }
        return try number(value)
    }
}
