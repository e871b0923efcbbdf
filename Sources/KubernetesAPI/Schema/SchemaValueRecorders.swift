/// Notes the element type a type asks an array for; there are no elements.
struct SchemaUnkeyedRecorder: UnkeyedDecodingContainer {
    let recorder: SchemaRecorder

    var codingPath: [any CodingKey] { [] }
    var count: Int? { 0 }
    var isAtEnd: Bool { true }
    var currentIndex: Int { 0 }

    mutating func decodeNil() throws -> Bool { false }

    private func zero<T>(_ leaf: SchemaLeafType, _ zero: T) -> T {
        recorder.note(alias: .array(.leaf(leaf)))
        return zero
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { zero(.boolean, false) }
    mutating func decode(_ type: String.Type) throws -> String { zero(.string, "") }
    mutating func decode(_ type: Double.Type) throws -> Double { zero(.number, 0) }
    mutating func decode(_ type: Float.Type) throws -> Float { zero(.number, 0) }
    mutating func decode(_ type: Int.Type) throws -> Int { zero(.integer, 0) }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { zero(.integer, 0) }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { zero(.integer, 0) }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { zero(.integer, 0) }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { zero(.integer, 0) }
    mutating func decode(_ type: UInt.Type) throws -> UInt { zero(.integer, 0) }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { zero(.integer, 0) }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { zero(.integer, 0) }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { zero(.integer, 0) }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { zero(.integer, 0) }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        recorder.note(alias: .array(SchemaRecordedType(type)))
        return try recorder.invent(type)
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        KeyedDecodingContainer(SchemaKeyedRecorder<NestedKey>(recorder: SchemaRecorder.throwaway()))
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        SchemaUnkeyedRecorder(recorder: SchemaRecorder.throwaway())
    }

    mutating func superDecoder() throws -> any Decoder { SchemaRecorder.throwaway() }
}

/// Notes which single value a type is written as: the first it asks for.
struct SchemaSingleRecorder: SingleValueDecodingContainer {
    let recorder: SchemaRecorder

    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { false }

    private func zero<T>(_ leaf: SchemaLeafType, _ zero: T) -> T {
        recorder.noteFirst(alias: .leaf(leaf))
        return zero
    }

    func decode(_ type: Bool.Type) throws -> Bool { zero(.boolean, false) }
    func decode(_ type: String.Type) throws -> String { zero(.string, "") }
    func decode(_ type: Double.Type) throws -> Double { zero(.number, 0) }
    func decode(_ type: Float.Type) throws -> Float { zero(.number, 0) }
    func decode(_ type: Int.Type) throws -> Int { zero(.integer, 0) }
    func decode(_ type: Int8.Type) throws -> Int8 { zero(.integer, 0) }
    func decode(_ type: Int16.Type) throws -> Int16 { zero(.integer, 0) }
    func decode(_ type: Int32.Type) throws -> Int32 { zero(.integer, 0) }
    func decode(_ type: Int64.Type) throws -> Int64 { zero(.integer, 0) }
    func decode(_ type: UInt.Type) throws -> UInt { zero(.integer, 0) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { zero(.integer, 0) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { zero(.integer, 0) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { zero(.integer, 0) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { zero(.integer, 0) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        recorder.noteFirst(alias: SchemaRecordedType(type))
        return try recorder.invent(type)
    }
}
