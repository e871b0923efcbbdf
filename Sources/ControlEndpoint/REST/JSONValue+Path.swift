internal import KubernetesAPI

/// Nested writing and reading, as the endpoint works on objects of any kind.
extension JSONValue {
    /// Sets or, with nil, removes the member at the path, creating objects on the way. Removing from an absent parent
    /// does nothing.
    mutating func set(_ value: JSONValue?, at path: String...) {
        set(value, path: path[...])
    }

    private mutating func set(_ value: JSONValue?, path: ArraySlice<String>) {
        guard let first = path.first else { return }
        guard path.count > 1 else {
            self[first] = value
            return
        }
        var child = self[first] ?? .null
        if value == nil, child.objectValue == nil { return }
        if child.objectValue == nil { child = .object([:]) }
        child.set(value, path: path.dropFirst())
        self[first] = child
    }

    /// A map of strings at the path; members that are not strings are left out, an absent map is empty.
    func stringMap(at path: String...) -> [String: String] {
        var value: JSONValue? = self
        for part in path { value = value?[part] }
        guard case .object(let members)? = value else { return [:] }
        return members.compactMapValues(\.stringValue)
    }

    /// The string at the path, or "" when there is none.
    func string(_ path: String...) -> String {
        var value: JSONValue? = self
        for part in path { value = value?[part] }
        return value?.stringValue ?? ""
    }

    /// The list at the path, or an empty one.
    func list(_ path: String...) -> [JSONValue] {
        var value: JSONValue? = self
        for part in path { value = value?[part] }
        return value?.arrayValue ?? []
    }

    /// True for an absent, null or empty value: what `omitempty` leaves out.
    static func isEmpty(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null?: true
        case .object(let members)?: members.isEmpty
        case .array(let elements)?: elements.isEmpty
        case .string(let text)?: text.isEmpty
        case .bool?, .integer?, .double?: false
        }
    }
}
