/// A decoder that has no data and notes what is asked of it.
///
/// Optional fields are noted and answered with nil. Required ones need an answer: zero, an empty list, or an instance
/// of the type made the same way.
final class SchemaRecorder: Decoder {
    private(set) var recording = SchemaRecording()
    private var indexes: [String: Int] = [:]
    private let depth: Int

    /// Required fields cannot nest endlessly in values; this stops classes that do.
    private static let maximumDepth = 64

    private init(depth: Int) {
        self.depth = depth
    }

    static func record(_ type: any Decodable.Type) -> SchemaRecording {
        let recorder = SchemaRecorder(depth: 0)
        do {
            _ = try type.init(from: recorder)
        } catch {
            // Expected of a type that is one value with rules of its own, such as an enumeration of strings. A type
            // with fields that stops early may have more of them.
            if case .object = recorder.recording.shape { recorder.recording.isOpen = true }
        }
        return recorder.recording
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(SchemaKeyedRecorder(recorder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        recording.shape = .alias(.array(.leaf(.any)))
        return SchemaUnkeyedRecorder(recorder: self)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { SchemaSingleRecorder(recorder: self) }

    func note(_ key: some CodingKey, _ type: SchemaRecordedType, isRequired: Bool) {
        let property = SchemaRecording.Property(name: key.stringValue, type: type, isRequired: isRequired)
        if let index = indexes[key.stringValue] {
            recording.properties[index] = property
        } else {
            indexes[key.stringValue] = recording.properties.count
            recording.properties.append(property)
        }
    }

    /// Notes a field that was asked about without saying what it is.
    func noteUntyped(_ key: some CodingKey) {
        if indexes[key.stringValue] == nil { note(key, .leaf(.any), isRequired: false) }
    }

    func note(alias: SchemaRecordedType) { recording.shape = .alias(alias) }

    /// A type that tries one kind of value after another is what it tries first.
    func noteFirst(alias: SchemaRecordedType) {
        if case .object = recording.shape { recording.shape = .alias(alias) }
    }

    /// For what is decoded but not looked at.
    static func throwaway() -> SchemaRecorder { SchemaRecorder(depth: maximumDepth) }

    func noteOpen() { recording.isOpen = true }

    /// Something of the type, made up.
    func invent<T: Decodable>(_ type: T.Type) throws -> T {
        if let container = type as? any SchemaContainer.Type, let empty = container.empty as? T { return empty }
        if let leaf = type as? any SchemaLeaf.Type {
            return try JSONValueDecoder().decode(type, from: leaf.schemaType.sample)
        }
        guard depth < Self.maximumDepth else {
            throw JSONDecodingError(path: .root, reason: "\(type) requires a value of its own type")
        }
        do {
            return try T(from: SchemaRecorder(depth: depth + 1))
        } catch {
            if let list = type as? any CaseIterable.Type, let first = Self.firstCase(list) as? T { return first }
            throw error
        }
    }

    private static func firstCase<T: CaseIterable>(_ type: T.Type) -> Any? { T.allCases.first }
}

extension SchemaLeafType {
    /// A value every type of this kind reads.
    fileprivate var sample: JSONValue {
        switch self {
        case .string: ""
        case .integer, .number, .intOrString: 0
        case .boolean: false
        case .quantity: "0"
        case .dateTime: "1970-01-01T00:00:00Z"
        case .microTime: "1970-01-01T00:00:00.000000Z"
        case .any: .null
        }
    }
}
