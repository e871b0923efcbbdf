/// A place in a JSON document (RFC 6901): `/spec/containers/0`.
struct JSONPointer: Hashable, CustomStringConvertible {
    let tokens: [String]

    /// Deeper paths name nothing a document within the parser's limits can hold.
    static let maximumTokens = 1000

    init(parsing text: String) throws(PatchError) {
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw PatchError(.malformed, "path \(LabelSyntax.quote(text)) must start with \"/\"")
        }
        var tokens: [String] = []
        // Over bytes: a combining mark after a slash must not hide the slash in one character with it.
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let token = Self.unescape(part) else {
                throw PatchError(.malformed, "path \(LabelSyntax.quote(text)): \"~\" must be followed by 0 or 1")
            }
            tokens.append(token)
        }
        guard tokens.count <= Self.maximumTokens else {
            throw PatchError(.tooLarge, "a path has more than \(Self.maximumTokens) parts")
        }
        self.tokens = tokens
    }

    var description: String {
        tokens.map { token in
            var text = "/"
            for scalar in token.unicodeScalars {
                switch scalar {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(scalar)
                }
            }
            return text
        }.joined()
    }

    /// Whether `other` is this place or below it.
    func contains(_ other: JSONPointer) -> Bool {
        other.tokens.starts(with: tokens)
    }

    private static func unescape(_ part: Substring.UTF8View) -> String? {
        guard part.contains(UInt8(ascii: "~")) else { return String(Substring(part)) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in part {
            if isEscaped {
                switch byte {
                case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
                default: return nil
                }
                isEscaped = false
            } else if byte == UInt8(ascii: "~") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return isEscaped ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
