/// Conditions on fields that must all hold: `spec.nodeName=a,status.phase!=Running`.
public struct FieldSelector: Hashable, Sendable {
    public struct Requirement: Hashable, Sendable {
        /// The field, such as `metadata.name`.
        public let path: String
        /// Whether the field must have the value, or must not.
        public let equal: Bool
        public let value: String

        public init(path: String, equal: Bool, value: String) {
            self.path = path
            self.equal = equal
            self.value = value
        }
    }

    public let requirements: [Requirement]

    public init(_ requirements: [Requirement]) {
        self.requirements = requirements
    }

    public static let everything = FieldSelector([])

    /// Reads `path=value`, `path==value` and `path!=value` joined by commas. In a value, `\\`, `\,` and `\=` stand for
    /// the character after the backslash.
    public init(parsing text: String) throws(SelectorError) {
        guard text.utf8.count <= 65_536 else { throw SelectorError("the field selector is longer than 65536 bytes") }
        var requirements: [Requirement] = []
        for term in Self.split(Array(text.utf8)) where !term.isEmpty {
            requirements.append(try Self.requirement(term, in: text))
        }
        self.requirements = requirements
    }

    public var isEverything: Bool { requirements.isEmpty }

    /// - Parameter value: looks a field up; an absent field counts as empty, as in Kubernetes.
    public func matches(_ value: (String) -> String?) -> Bool {
        requirements.allSatisfy { ((value($0.path) ?? "") == $0.value) == $0.equal }
    }

    /// The value a field must have, when the selector says so.
    public func requiredValue(of path: String) -> String? {
        requirements.first { $0.path == path && $0.equal }?.value
    }

    private static func split(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var terms: [ArraySlice<UInt8>] = []
        var start = 0
        var isEscaped = false
        for (index, byte) in text.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: ",") {
                terms.append(text[start..<index])
                start = index + 1
            }
        }
        terms.append(text[start...])
        return terms
    }

    private static func requirement(_ term: ArraySlice<UInt8>, in text: String) throws(SelectorError) -> Requirement {
        func failure(_ reason: String) -> SelectorError {
            SelectorError("invalid field selector \(LabelSyntax.quote(text)): \(reason)")
        }
        let shown = LabelSyntax.quote(String(decoding: term, as: UTF8.self))
        guard let operation = term.firstIndex(of: UInt8(ascii: "=")) else {
            throw failure("can't understand \(shown); use path=value or path!=value")
        }
        var pathEnd = operation
        var valueStart = operation + 1
        var equal = true
        if operation > term.startIndex, term[operation - 1] == UInt8(ascii: "!") {
            equal = false
            pathEnd -= 1
        } else if valueStart < term.endIndex, term[valueStart] == UInt8(ascii: "=") {
            valueStart += 1
        }
        let path = String(decoding: term[term.startIndex..<pathEnd], as: UTF8.self)
        guard !path.isEmpty else { throw failure("\(shown) names no field") }
        var value: [UInt8] = []
        var isEscaped = false
        for byte in term[valueStart...] {
            let isSpecial = byte == UInt8(ascii: "\\") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=")
            if isEscaped {
                guard isSpecial else { throw failure("unknown escape in \(shown)") }
                value.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if isSpecial {
                throw failure("write \"=\" in the value of \(shown) as \"\\=\"")
            } else {
                value.append(byte)
            }
        }
        guard !isEscaped else { throw failure("\(shown) ends in an unfinished escape") }
        return Requirement(path: path, equal: equal, value: String(decoding: value, as: UTF8.self))
    }
}

extension FieldSelector: CustomStringConvertible {
    /// The text form, which parses back to an equal selector.
    public var description: String {
        requirements.map { requirement in
            var value = ""
            for character in requirement.value.unicodeScalars {
                if character == "\\" || character == "," || character == "=" { value += "\\" }
                value.unicodeScalars.append(character)
            }
            return "\(requirement.path)\(requirement.equal ? "=" : "!=")\(value)"
        }.joined(separator: ",")
    }
}
