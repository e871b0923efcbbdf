/// The type of a value as one run of a decoder shows it: other types are named, not looked into.
indirect enum SchemaRecordedType: Sendable {
    case leaf(SchemaLeafType)
    case array(SchemaRecordedType)
    case map(SchemaRecordedType)
    case type(SchemaReference)

    init(_ type: any Decodable.Type) {
        if let leaf = type as? any SchemaLeaf.Type {
            self = .leaf(leaf.schemaType)
        } else if let container = type as? any SchemaContainer.Type {
            self = container.recordedType
        } else if type is any FixedWidthInteger.Type {
            self = .leaf(.integer)
        } else if type is any BinaryFloatingPoint.Type {
            self = .leaf(.number)
        } else if type is String.Type {
            self = .leaf(.string)
        } else if type is Bool.Type {
            self = .leaf(.boolean)
        } else {
            self = .type(SchemaReference(type))
        }
    }
}

/// What one type asked a decoder for.
struct SchemaRecording: Sendable {
    enum Shape: Sendable {
        /// It has fields.
        case object
        /// It is written as a value of another type.
        case alias(SchemaRecordedType)
    }

    struct Property: Sendable {
        let name: String
        var type: SchemaRecordedType
        var isRequired: Bool
    }

    var shape: Shape = .object
    var properties: [Property] = []
    var isOpen = false
}

/// The standard library's types that hold other values.
protocol SchemaContainer {
    static var recordedType: SchemaRecordedType { get }
    /// A value without contents.
    static var empty: Self { get }
}

extension Optional: SchemaContainer where Wrapped: Decodable {
    static var recordedType: SchemaRecordedType { SchemaRecordedType(Wrapped.self) }
    static var empty: Wrapped? { nil }
}

extension Array: SchemaContainer where Element: Decodable {
    static var recordedType: SchemaRecordedType { .array(SchemaRecordedType(Element.self)) }
    static var empty: [Element] { [] }
}

extension Set: SchemaContainer where Element: Decodable {
    static var recordedType: SchemaRecordedType { .array(SchemaRecordedType(Element.self)) }
    static var empty: Set<Element> { [] }
}

extension Dictionary: SchemaContainer where Key: Decodable, Value: Decodable {
    static var recordedType: SchemaRecordedType { .map(SchemaRecordedType(Value.self)) }
    static var empty: [Key: Value] { [:] }
}
