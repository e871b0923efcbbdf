/// Notes the fields a type asks for.
struct SchemaKeyedRecorder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recorder: SchemaRecorder

    var codingPath: [any CodingKey] { [] }

    /// A type that looks at the keys there are takes any.
    var allKeys: [Key] {
        recorder.noteOpen()
        return []
    }

    func contains(_ key: Key) -> Bool {
        recorder.noteUntyped(key)
        return true
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        recorder.noteUntyped(key)
        return false
    }

    private func zero<T>(_ key: Key, _ leaf: SchemaLeafType, _ zero: T) -> T {
        recorder.note(key, .leaf(leaf), isRequired: true)
        return zero
    }

    private func none<T>(_ key: Key, _ leaf: SchemaLeafType) -> T? {
        recorder.note(key, .leaf(leaf), isRequired: false)
        return nil
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { zero(key, .boolean, false) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { zero(key, .string, "") }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { zero(key, .number, 0) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { zero(key, .number, 0) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { zero(key, .integer, 0) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { zero(key, .integer, 0) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { zero(key, .integer, 0) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { zero(key, .integer, 0) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { zero(key, .integer, 0) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { zero(key, .integer, 0) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { zero(key, .integer, 0) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { zero(key, .integer, 0) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { zero(key, .integer, 0) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { zero(key, .integer, 0) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        recorder.note(key, SchemaRecordedType(type), isRequired: true)
        return try recorder.invent(type)
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { none(key, .boolean) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { none(key, .string) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { none(key, .number) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { none(key, .number) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { none(key, .integer) }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { none(key, .integer) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { none(key, .integer) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { none(key, .integer) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { none(key, .integer) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { none(key, .integer) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { none(key, .integer) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { none(key, .integer) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { none(key, .integer) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { none(key, .integer) }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        recorder.note(key, SchemaRecordedType(type), isRequired: false)
        return nil
    }

    // What is below these is not followed: nothing in the API is decoded through them.
    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        recorder.noteUntyped(key)
        return KeyedDecodingContainer(SchemaKeyedRecorder<NestedKey>(recorder: SchemaRecorder.throwaway()))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        recorder.noteUntyped(key)
        return SchemaUnkeyedRecorder(recorder: SchemaRecorder.throwaway())
    }

    func superDecoder() throws -> any Decoder {
        recorder.noteOpen()
        return SchemaRecorder.throwaway()
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        recorder.noteUntyped(key)
        return SchemaRecorder.throwaway()
    }
}
