import KubernetesAPI

/// A value of a profile's JSON document with its place, read strictly: what is not understood is an error.
struct SeccompDocument {
    let value: JSONValue
    let field: String

    /// An object with no other members than these.
    func object(allowing names: Set<String>) throws(SeccompProfileError) -> [String: JSONValue] {
        guard case .object(let members) = value else { throw wrongKind("an object") }
        for name in members.keys.sorted() where !names.contains(name) {
            throw SeccompProfileError(path(name), "unknown field; known are \(names.sorted().joined(separator: ", "))")
        }
        return members
    }

    /// A member, nil when it is absent or null.
    func member(_ name: String) -> SeccompDocument? {
        guard let member = value[name], !member.isNull else { return nil }
        return SeccompDocument(value: member, field: path(name))
    }

    func elements(atMost limit: Int) throws(SeccompProfileError) -> [SeccompDocument] {
        guard case .array(let elements) = value else { throw wrongKind("an array") }
        guard elements.count <= limit else {
            throw SeccompProfileError(field, "has \(elements.count) elements, more than \(limit)")
        }
        return elements.enumerated().map { SeccompDocument(value: $1, field: "\(field)[\($0)]") }
    }

    func text() throws(SeccompProfileError) -> String {
        guard case .string(let text) = value else { throw wrongKind("a string") }
        return text
    }

    func texts(atMost limit: Int) throws(SeccompProfileError) -> [String] {
        var texts: [String] = []
        for element in try elements(atMost: limit) { texts.append(try element.text()) }
        return texts
    }

    func number(_ range: ClosedRange<Int64>) throws(SeccompProfileError) -> Int64 {
        guard case .integer(let number) = value, range.contains(number) else {
            throw SeccompProfileError(
                field, "\(shown) is not an integer in \(range.lowerBound)...\(range.upperBound)")
        }
        return number
    }

    /// The value as a message shows it.
    var shown: String {
        let text = value.description
        return text.utf8.count <= 80 ? text : String(text.prefix(77)) + "…"
    }

    private func path(_ name: String) -> String {
        let shown = name.utf8.count <= 80 ? name : String(name.prefix(77)) + "…"
        return field.isEmpty ? shown : field + "." + shown
    }

    private func wrongKind(_ expected: String) -> SeccompProfileError {
        SeccompProfileError(field, "\(shown) is not \(expected)")
    }
}
