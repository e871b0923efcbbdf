/// Reads the text form of label selectors.
struct SelectorParser {
    private enum Token: Equatable {
        case word(String)
        case equals, notEquals, not, comma, open, close, greater, less, end
    }

    private let text: String
    private var rest: Substring.UnicodeScalarView

    init(_ text: String) {
        self.text = text
        rest = text[...].unicodeScalars
    }

    mutating func parse() throws(SelectorError) -> [SelectorRequirement] {
        var requirements: [SelectorRequirement] = []
        guard peek() != .end else { return requirements }
        while true {
            requirements.append(try parseRequirement())
            switch next() {
            case .end: return requirements
            case .comma:
                guard peek() != .end else { throw failure("found the end after ',', expected a label key") }
            default: throw failure("expected ',' or the end after '\(requirements.last?.description ?? "")'")
            }
        }
    }

    private mutating func parseRequirement() throws(SelectorError) -> SelectorRequirement {
        let isNegated = peek() == .not
        if isNegated { _ = next() }
        guard case .word(let key) = next() else { throw failure("expected a label key") }
        if isNegated { return try SelectorRequirement(key: key, operation: .doesNotExist) }
        switch peek() {
        case .end, .comma:
            return try SelectorRequirement(key: key, operation: .exists)
        case .equals:
            _ = next()
            return try SelectorRequirement(key: key, operation: .isIn, values: [parseExactValue()])
        case .notEquals:
            _ = next()
            return try SelectorRequirement(key: key, operation: .notIn, values: [parseExactValue()])
        case .greater:
            _ = next()
            return try SelectorRequirement(key: key, operation: .greaterThan, values: [parseExactValue()])
        case .less:
            _ = next()
            return try SelectorRequirement(key: key, operation: .lessThan, values: [parseExactValue()])
        case .word("in"):
            _ = next()
            return try SelectorRequirement(key: key, operation: .isIn, values: parseValues())
        case .word("notin"):
            _ = next()
            return try SelectorRequirement(key: key, operation: .notIn, values: parseValues())
        case .word, .not, .open, .close:
            throw failure("after '\(key)', expected one of =, ==, !=, in, notin, >, <, ',' or the end")
        }
    }

    /// The value after an operator; nothing there means the empty value.
    private mutating func parseExactValue() throws(SelectorError) -> String {
        switch peek() {
        case .end, .comma: return ""
        case .word(let value):
            _ = next()
            return value
        default: throw failure("expected a label value")
        }
    }

    private mutating func parseValues() throws(SelectorError) -> [String] {
        guard next() == .open else { throw failure("expected '(' after in or notin") }
        var values: [String] = []
        var value = ""
        var isBetween = true
        while true {
            switch next() {
            case .word(let text):
                guard isBetween else { throw failure("expected ',' or ')' between values") }
                value = text
                isBetween = false
            case .comma:
                values.append(value)
                value = ""
                isBetween = true
            case .close:
                values.append(value)
                return values
            default: throw failure("expected ',' or ')' in a list of values")
            }
        }
    }

    private func peek() -> Token {
        var copy = self
        return copy.next()
    }

    private mutating func next() -> Token {
        rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" }
        guard let first = rest.first else { return .end }
        switch first {
        case ",": return take(1, .comma)
        case "(": return take(1, .open)
        case ")": return take(1, .close)
        case ">": return take(1, .greater)
        case "<": return take(1, .less)
        case "=": return take(rest.dropFirst().first == "=" ? 2 : 1, .equals)
        case "!": return rest.dropFirst().first == "=" ? take(2, .notEquals) : take(1, .not)
        default:
            let word = rest.prefix { !Self.endsWord($0) }
            rest = rest.dropFirst(word.count)
            return .word(String(word))
        }
    }

    private mutating func take(_ count: Int, _ token: Token) -> Token {
        rest = rest.dropFirst(count)
        return token
    }

    private static func endsWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\r", "\n", ",", "(", ")", "=", "!", ">", "<": true
        default: false
        }
    }

    private func failure(_ reason: String) -> SelectorError {
        SelectorError("unable to parse label selector \(LabelSyntax.quote(text)): \(reason)")
    }
}
