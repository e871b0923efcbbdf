/// Makes JSON from typed values; nil optionals are left out.
public struct JSONValueEncoder: Sendable {
    public init() {}

    /// - Throws: `JSONEncodingError` for a number JSON cannot hold, or what a type's `encode(to:)` throws.
    public func encode(_ value: some Encodable) throws -> JSONValue {
        try JSONEncoding.box(value, path: nil)
    }

    /// Encodes and serializes in one go.
    public func serialize(_ value: some Encodable, sortedKeys: Bool = true) throws -> [UInt8] {
        try encode(value).serialized(sortedKeys: sortedKeys)
    }
}

/// A number that JSON, or a 64-bit integer, cannot hold.
public struct JSONEncodingError: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: FieldPath
    public let reason: String

    public var description: String {
        path.isRoot ? reason : "\(path): \(reason)"
    }
}

/// A value under construction. Containers share it by reference, because a caller may fill them in any order.
final class JSONEncodingNode {
    private var value: JSONValue?
    private var members: [String: JSONValue] = [:]
    private var elements: [JSONValue] = []
    /// Members and elements that are themselves still under construction.
    private var openMembers: [String: JSONEncodingNode] = [:]
    private var openElements: [Int: JSONEncodingNode] = [:]
    private var isArray = false

    func set(_ value: JSONValue) { self.value = value }

    func set(_ value: JSONValue, forKey key: String) {
        members[key] = value
        openMembers[key] = nil
    }

    /// A container asked for twice is the same container.
    func open(forKey key: String) -> JSONEncodingNode {
        if let node = openMembers[key] { return node }
        let node = JSONEncodingNode()
        openMembers[key] = node
        return node
    }

    func becomeArray() { isArray = true }

    func append(_ value: JSONValue) { elements.append(value) }

    func appendOpen() -> JSONEncodingNode {
        let node = JSONEncodingNode()
        openElements[elements.count] = node
        elements.append(.null)
        return node
    }

    var count: Int { elements.count }

    func finish() -> JSONValue {
        if let value { return value }
        if isArray {
            for (index, node) in openElements { elements[index] = node.finish() }
            return .array(elements)
        }
        for (key, node) in openMembers { members[key] = node.finish() }
        return .object(members)
    }
}

/// Encoding of one value at one place.
struct JSONEncoding: Encoder {
    let node: JSONEncodingNode
    let path: JSONCodingPath?

    var codingPath: [any CodingKey] { JSONCodingPath.codingPath(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(JSONKeyedEncoding(node: node, path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.becomeArray()
        return JSONUnkeyedEncoding(node: node, path: path)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    static func box<T: Encodable>(_ value: T, path: JSONCodingPath?) throws -> JSONValue {
        if T.self == JSONValue.self, let value = value as? JSONValue { return value }
        if T.self == String.self, let value = value as? String { return .string(value) }
        if T.self == [String: String].self, let texts = value as? [String: String] {
            return .object(texts.mapValues(JSONValue.string))
        }
        let node = JSONEncodingNode()
        try value.encode(to: JSONEncoding(node: node, path: path))
        return node.finish()
    }

    static func box(integer value: some BinaryInteger, path: JSONCodingPath?) throws -> JSONValue {
        guard let exact = Int64(exactly: value) else {
            throw JSONEncodingError(
                path: JSONCodingPath.fieldPath(path), reason: "\(value) does not fit into a 64-bit integer")
        }
        return .integer(exact)
    }

    static func box(number value: Double, path: JSONCodingPath?) throws -> JSONValue {
        guard value.isFinite else {
            throw JSONEncodingError(path: JSONCodingPath.fieldPath(path), reason: "JSON has no number \(value)")
        }
        return .double(value)
    }
}

extension JSONEncoding: SingleValueEncodingContainer {
    mutating func encodeNil() throws { node.set(.null) }
    mutating func encode(_ value: Bool) throws { node.set(.bool(value)) }
    mutating func encode(_ value: String) throws { node.set(.string(value)) }
    mutating func encode(_ value: Double) throws { node.set(try Self.box(number: value, path: path)) }
    mutating func encode(_ value: Float) throws { node.set(try Self.box(number: Double(value), path: path)) }
    mutating func encode(_ value: Int) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode(_ value: Int8) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode(_ value: Int16) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode(_ value: Int32) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode(_ value: Int64) throws { node.set(.integer(value)) }
    mutating func encode(_ value: UInt) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode(_ value: UInt8) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode(_ value: UInt16) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode(_ value: UInt32) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode(_ value: UInt64) throws { node.set(try Self.box(integer: value, path: path)) }
    mutating func encode<T: Encodable>(_ value: T) throws { node.set(try Self.box(value, path: path)) }
}
