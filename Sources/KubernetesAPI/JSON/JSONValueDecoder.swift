/// Makes typed values from JSON.
///
/// Null counts as absent for optional fields. Unknown fields are ignored; `Schema.unknownFields(in:)` finds them. As in
/// Go, an integer field takes only a number written without fraction and exponent.
public struct JSONValueDecoder: Sendable {
    public init() {}

    /// - Throws: `JSONDecodingError`, which names the path of the first value that does not fit.
    public func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        do {
            return try JSONDecoding(value: value, path: nil).unbox(type)
        } catch {
            throw JSONDecodingError(error, fallback: .root)
        }
    }

    /// Parses and decodes in one go.
    ///
    /// - Throws: `JSONSyntaxError` or `JSONDecodingError`.
    public func decode<T: Decodable>(
        _ type: T.Type, parsing bytes: some Sequence<UInt8>, limits: JSONLimits = .default
    ) throws -> T {
        try decode(type, from: JSONValue(parsing: bytes, limits: limits))
    }
}

/// Decoding of one value at one place.
struct JSONDecoding: Decoder {
    let value: JSONValue
    let path: JSONCodingPath?

    var codingPath: [any CodingKey] { JSONCodingPath.codingPath(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value else { throw mismatch("object") }
        return KeyedDecodingContainer(JSONKeyedDecoding(members: members, path: path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw mismatch("array") }
        return JSONUnkeyedDecoding(elements: elements, path: path)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func mismatch(_ expected: String) -> JSONDecodingError {
        failure("expected \(expected), got \(value.kindName)")
    }

    func failure(_ reason: String) -> JSONDecodingError {
        JSONDecodingError(path: JSONCodingPath.fieldPath(path), reason: reason)
    }

    func unbox<T: Decodable>(_ type: T.Type) throws -> T {
        if T.self == JSONValue.self, let value = value as? T { return value }
        if T.self == [String: String].self, let texts = texts as? T { return texts }
        do {
            return try T(from: self)
        } catch let error as JSONDecodingError {
            throw error
        } catch {
            throw JSONDecodingError(error, fallback: JSONCodingPath.fieldPath(path))
        }
    }

    /// Labels, annotations and a ConfigMap's data, without a container for every text: the table of the members is taken as it is.
    /// Nil when something is no text; the usual way tells what.
    private var texts: [String: String]? {
        guard case .object(let members) = value else { return nil }
        return try? members.mapValues { member in
            guard case .string(let text) = member else { throw mismatch("string") }
            return text
        }
    }

    func unboxInteger<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        switch value {
        case .integer(let number):
            guard let exact = T(exactly: number) else { throw failure("\(number) does not fit into \(T.self)") }
            return exact
        case .double(let number):
            throw failure("expected integer, got \(JSONNumberText.text(of: number))")
        case .null, .bool, .string, .array, .object:
            throw mismatch("integer")
        }
    }
}

extension JSONDecoding: SingleValueDecodingContainer {
    func decodeNil() -> Bool { value.isNull }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let flag) = value else { throw mismatch("boolean") }
        return flag
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let text) = value else { throw mismatch("string") }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard let number = value.doubleValue else { throw mismatch("number") }
        return number
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try unboxInteger(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try unboxInteger(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try unboxInteger(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try unboxInteger(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try unboxInteger(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try unboxInteger(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try unboxInteger(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try unboxInteger(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try unboxInteger(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try unboxInteger(type) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try unbox(type) }
}
