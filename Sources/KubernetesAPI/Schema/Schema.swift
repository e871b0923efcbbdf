/// What fields an API type has, found out by watching the type decode itself.
///
/// The first use of a type runs its `init(from:)` with a decoder that takes notes; every later use is a lookup.
public struct Schema: Sendable {
    public let type: SchemaType

    public init<T: Decodable>(of type: T.Type) {
        self.type = SchemaCache.resolve(.init(type))
    }

    /// The definition of an object type; nil for arrays, maps and single values.
    public var definition: SchemaDefinition? {
        guard case .object(let reference) = type else { return nil }
        return reference.definition
    }

    /// The paths of fields the type does not have, sorted: `spec.contianers`.
    public func unknownFields(in value: JSONValue) -> [String] {
        unknownFieldPaths(in: value).map(\.description)
    }

    /// The paths of fields the type does not have, sorted by name at every level.
    public func unknownFieldPaths(in value: JSONValue) -> [FieldPath] {
        var paths: [FieldPath] = []
        var path = FieldPath.root
        Self.collectUnknown(in: value, type: type, at: &path, into: &paths)
        return paths
    }

    /// The definitions of these kinds and of everything they contain, sorted by name.
    public static func definitions(for types: [any KubernetesResource.Type]) -> [SchemaDefinition] {
        var found: [SchemaReference: SchemaDefinition] = [:]
        var waiting = types.map { SchemaReference($0) }
        func visit(_ type: SchemaType) {
            switch type {
            case .leaf: break
            case .array(let element), .map(let element): visit(element)
            case .object(let reference): waiting.append(reference)
            }
        }
        while let reference = waiting.popLast() {
            guard found[reference] == nil else { continue }
            let definition = reference.definition
            found[reference] = definition
            for property in definition.properties { visit(property.type) }
        }
        return found.values.sorted { $0.name < $1.name }
    }

    private static func collectUnknown(
        in value: JSONValue, type: SchemaType, at path: inout FieldPath, into paths: inout [FieldPath]
    ) {
        switch (type, value) {
        case (.array(let element), .array(let values)):
            for (index, value) in values.enumerated() {
                path.elements.append(.index(index))
                collectUnknown(in: value, type: element, at: &path, into: &paths)
                path.elements.removeLast()
            }
        case (.map(let element), .object(let members)):
            if case .leaf = element { return }
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                path.elements.append(.field(key))
                collectUnknown(in: value, type: element, at: &path, into: &paths)
                path.elements.removeLast()
            }
        case (.object(let reference), .object(let members)):
            let definition = reference.definition
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                path.elements.append(.field(key))
                if let property = definition[key] {
                    collectUnknown(in: value, type: property.type, at: &path, into: &paths)
                } else if !definition.isOpen {
                    paths.append(path)
                }
                path.elements.removeLast()
            }
        case (.leaf, _), (.array, _), (.map, _), (.object, _):
            // A value of the wrong kind is for the decoder to complain about.
            break
        }
    }
}
