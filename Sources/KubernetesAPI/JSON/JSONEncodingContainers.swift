/// The members of an object under construction.
struct JSONKeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: JSONEncodingNode
    let path: JSONCodingPath?

    var codingPath: [any CodingKey] { JSONCodingPath.codingPath(path) }

    private func below(_ key: String) -> JSONCodingPath {
        JSONCodingPath(.field(key), below: path)
    }

    private func set(_ key: Key, number: some BinaryInteger) throws {
        node.set(try JSONEncoding.box(integer: number, path: below(key.stringValue)), forKey: key.stringValue)
    }

    private func set(_ key: Key, number: Double) throws {
        node.set(try JSONEncoding.box(number: number, path: below(key.stringValue)), forKey: key.stringValue)
    }

    mutating func encodeNil(forKey key: Key) throws { node.set(.null, forKey: key.stringValue) }
    mutating func encode(_ value: Bool, forKey key: Key) throws { node.set(.bool(value), forKey: key.stringValue) }
    mutating func encode(_ value: String, forKey key: Key) throws { node.set(.string(value), forKey: key.stringValue) }
    mutating func encode(_ value: Double, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: Float, forKey key: Key) throws { try set(key, number: Double(value)) }
    mutating func encode(_ value: Int, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: Int8, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: Int16, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: Int32, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: Int64, forKey key: Key) throws { node.set(.integer(value), forKey: key.stringValue) }
    mutating func encode(_ value: UInt, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: UInt8, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: UInt16, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: UInt32, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode(_ value: UInt64, forKey key: Key) throws { try set(key, number: value) }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        node.set(try JSONEncoding.box(value, path: below(key.stringValue)), forKey: key.stringValue)
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        JSONEncoding(node: node.open(forKey: key.stringValue), path: below(key.stringValue)).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        JSONEncoding(node: node.open(forKey: key.stringValue), path: below(key.stringValue)).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        JSONEncoding(node: node.open(forKey: "super"), path: below("super"))
    }

    mutating func superEncoder(forKey key: Key) -> any Encoder {
        JSONEncoding(node: node.open(forKey: key.stringValue), path: below(key.stringValue))
    }
}

/// The elements of an array under construction.
struct JSONUnkeyedEncoding: UnkeyedEncodingContainer {
    let node: JSONEncodingNode
    let path: JSONCodingPath?

    var codingPath: [any CodingKey] { JSONCodingPath.codingPath(path) }
    var count: Int { node.count }

    private var element: JSONCodingPath { JSONCodingPath(.index(node.count), below: path) }

    mutating func encodeNil() throws { node.append(.null) }
    mutating func encode(_ value: Bool) throws { node.append(.bool(value)) }
    mutating func encode(_ value: String) throws { node.append(.string(value)) }
    mutating func encode(_ value: Double) throws { node.append(try JSONEncoding.box(number: value, path: element)) }
    mutating func encode(_ value: Float) throws {
        node.append(try JSONEncoding.box(number: Double(value), path: element))
    }
    mutating func encode(_ value: Int) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode(_ value: Int8) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode(_ value: Int16) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode(_ value: Int32) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode(_ value: Int64) throws { node.append(.integer(value)) }
    mutating func encode(_ value: UInt) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode(_ value: UInt8) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode(_ value: UInt16) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode(_ value: UInt32) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode(_ value: UInt64) throws { node.append(try JSONEncoding.box(integer: value, path: element)) }
    mutating func encode<T: Encodable>(_ value: T) throws {
        node.append(try JSONEncoding.box(value, path: element))
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        let path = element
        return JSONEncoding(node: node.appendOpen(), path: path).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let path = element
        return JSONEncoding(node: node.appendOpen(), path: path).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        let path = element
        return JSONEncoding(node: node.appendOpen(), path: path)
    }
}
