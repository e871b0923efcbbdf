/// The type of one JSON value.
public indirect enum SchemaType: Hashable, Sendable {
    case leaf(SchemaLeafType)
    case array(SchemaType)
    /// An object with any keys.
    case map(SchemaType)
    /// An object with known fields.
    case object(SchemaReference)
}

/// Names the definition of a type; looked up when asked for, because types may contain themselves.
///
/// Sendable: a metatype is immutable and lives as long as the process.
public struct SchemaReference: @unchecked Sendable, Hashable, CustomStringConvertible {
    /// The Swift type.
    public let type: any Decodable.Type

    init(_ type: any Decodable.Type) {
        self.type = type
    }

    /// The Swift type's name without its module: `Pod`, `KubernetesList<KubernetesAPI.Pod>`.
    public var name: String {
        let qualified = String(reflecting: type)
        guard let dot = qualified.firstIndex(of: ".") else { return qualified }
        return String(qualified[qualified.index(after: dot)...])
    }

    public var definition: SchemaDefinition { SchemaCache.definition(of: type) }

    public var description: String { name }

    public static func == (left: SchemaReference, right: SchemaReference) -> Bool {
        ObjectIdentifier(left.type) == ObjectIdentifier(right.type)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(type))
    }
}

/// One field of a definition.
public struct SchemaProperty: Hashable, Sendable {
    /// The JSON name.
    public let name: String
    public let type: SchemaType
    /// Whether decoding fails without the field.
    public let isRequired: Bool
}

/// The fields of one type.
public struct SchemaDefinition: Hashable, Sendable {
    public let reference: SchemaReference
    /// In the order the type decodes them.
    public let properties: [SchemaProperty]
    /// Whether the type may take fields that are not listed: it asks for all keys, or could not be followed to its end.
    public let isOpen: Bool
    /// The field that tells elements apart in a strategically merged list of this type.
    public let patchMergeKey: String?
    /// Lists of primitives that a strategic merge patch adds to.
    public let mergedPrimitiveLists: Set<String>
    private let indexes: [String: Int]

    init(
        reference: SchemaReference, properties: [SchemaProperty], isOpen: Bool, patchMergeKey: String?,
        mergedPrimitiveLists: Set<String>
    ) {
        self.reference = reference
        self.properties = properties
        self.isOpen = isOpen
        self.patchMergeKey = patchMergeKey
        self.mergedPrimitiveLists = mergedPrimitiveLists
        indexes = Dictionary(
            properties.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }

    public var name: String { reference.name }

    public subscript(name: String) -> SchemaProperty? {
        indexes[name].map { properties[$0] }
    }
}
