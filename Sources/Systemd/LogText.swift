import Logging

/// How one event reads as one line: the message, then its values as `key=value`, sorted by key.
enum LogText {
    /// A value longer than this is cut. Values come from specs and errors, whose length nobody promises.
    static let valueLimitScalars = 2000

    static func line(message: String, metadata: Logger.Metadata, error: (any Error)?) -> String {
        var line = escaped(message)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(escaped(key))=\(quotedIfNeeded("\(value)"))"
        }
        if let error { line += ": \(escaped("\(error)"))" }
        return line
    }

    /// Control characters as `\u{1b}`: text from a container must not move a terminal's cursor nor start a line of its
    /// own.
    static func escaped(_ text: String) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            count += 1
            if count > valueLimitScalars { return result + "…" }
            if needsEscape(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Quoted when it is empty or has a space, a quote or an equals sign, so that a line splits back into its pairs.
    private static func quotedIfNeeded(_ text: String) -> String {
        let escaped = escaped(text)
        guard escaped.isEmpty || escaped.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else {
            return escaped
        }
        let inner = escaped.flatMap { $0 == "\"" ? ["\\", "\""] : [$0] }
        return "\"\(String(inner))\""
    }

    /// Controls, and the format characters that reorder or hide text (bidirectional overrides, zero width).
    private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
