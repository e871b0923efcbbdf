internal import Synchronization

/// How server-side apply treats a value: as one, or by its parts.
public indirect enum ApplyType: Hashable, Sendable {
    /// It has one owner.
    case atomic
    /// Every field has its own owners.
    case object(SchemaReference)
    /// Every entry has its own owners.
    case map(ApplyType)
    /// A list of primitives: each value has its own owners.
    case set
    /// A list of objects that some of their fields tell apart.
    case keyed([ApplyKey], SchemaReference)

    /// The type of a kind's objects.
    public init(_ schema: Schema) {
        self = Self.make(schema.type)
    }

    /// The type of a field of an object, or of an entry of a map; anything unknown is atomic.
    func child(_ name: String) -> ApplyType {
        switch self {
        case .object(let reference): ApplyTable.fields(of: reference)[name] ?? .atomic
        case .keyed(_, let reference): ApplyTable.fields(of: reference)[name] ?? .atomic
        case .map(let element): element
        case .atomic, .set: .atomic
        }
    }

    fileprivate static func make(_ type: SchemaType) -> ApplyType {
        switch type {
        case .leaf: return .atomic
        case .map(let element): return .map(make(element))
        case .object(let reference):
            return reference.type is any AppliedAsOne.Type ? .atomic : .object(reference)
        case .array(.object(let reference)):
            if let keyed = reference.type as? any AppliedByKeys.Type { return .keyed(keyed.applyKeys, reference) }
            if let key = reference.definition.patchMergeKey { return .keyed([ApplyKey(key)], reference) }
            return .atomic
        case .array: return .atomic
        }
    }
}

/// How the fields of each type are applied, derived from the declarations once per type.
private enum ApplyTable {
    private static let tables = Mutex<[SchemaReference: [String: ApplyType]]>([:])

    static func fields(of reference: SchemaReference) -> [String: ApplyType] {
        if let known = tables.withLock({ $0[reference] }) { return known }
        // Derived outside of the lock: two threads may both do it, with equal results.
        let definition = reference.definition
        let whole = (reference.type as? any AppliedAsOneFields.Type)?.fieldsAppliedAsOne ?? []
        var fields: [String: ApplyType] = [:]
        for property in definition.properties {
            if whole.contains(property.name) {
                fields[property.name] = .atomic
            } else if definition.mergedPrimitiveLists.contains(property.name) {
                fields[property.name] = .set
            } else {
                fields[property.name] = ApplyType.make(property.type)
            }
        }
        let made = fields
        tables.withLock { $0[reference] = made }
        return made
    }
}
