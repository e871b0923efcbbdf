/// The kinds of value a schema does not look into.
public enum SchemaLeafType: String, Hashable, Sendable, CaseIterable {
    case string, integer, boolean, number
    /// An `IntOrString`.
    case intOrString
    case quantity
    /// RFC 3339 with seconds.
    case dateTime
    /// RFC 3339 with microseconds.
    case microTime
    /// Anything goes: unknown fields are not looked for below.
    case any
}

/// A type that is one value in JSON although its `init(from:)` may do anything.
public protocol SchemaLeaf {
    static var schemaType: SchemaLeafType { get }
}
