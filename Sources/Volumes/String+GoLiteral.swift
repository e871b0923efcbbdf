extension String {
    /// The text as a Go string literal (`%q`), the form programs that read downward API files expect.
    var goLiteral: String {
        var literal = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": literal += "\\\""
            case "\\": literal += "\\\\"
            case "\u{07}": literal += "\\a"
            case "\u{08}": literal += "\\b"
            case "\u{0C}": literal += "\\f"
            case "\n": literal += "\\n"
            case "\r": literal += "\\r"
            case "\t": literal += "\\t"
            case "\u{0B}": literal += "\\v"
            default: literal += scalar.isPrintable ? String(scalar) : scalar.hexadecimalEscape
            }
        }
        return literal + "\""
    }
}

extension Unicode.Scalar {
    /// Letters, marks, numbers, punctuation, symbols, and of the spaces only the ASCII one.
    fileprivate var isPrintable: Bool {
        if self == " " { return true }
        return switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            false
        default: true
        }
    }

    fileprivate var hexadecimalEscape: String {
        let digits = String(value, radix: 16)
        func padded(_ width: Int) -> String { String(repeating: "0", count: max(0, width - digits.count)) + digits }
        if value < 0x20 || value == 0x7F { return "\\x" + padded(2) }
        return value < 0x10000 ? "\\u" + padded(4) : "\\U" + padded(8)
    }
}
