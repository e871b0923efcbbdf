/// ``Indirect`` for an optional field: one reference for a large value, and nothing for none.
@propertyWrapper
public struct IndirectIfPresent<Value: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    /// Written only while nobody else has it. Its value is nil only for the time of a write.
    private final class Storage: @unchecked Sendable {
        var value: Value?

        init(_ value: Value?) { self.value = value }
    }

    private var storage: Storage?

    public init(wrappedValue: Value?) {
        storage = wrappedValue == nil ? nil : Storage(wrappedValue)
    }

    public var wrappedValue: Value? {
        _read {
            if let storage { yield storage.value } else { yield nil }
        }
        _modify {
            let own = ownStorage()
            defer { if own.value == nil { storage = nil } }
            yield &own.value
        }
    }

    private mutating func ownStorage() -> Storage {
        let isOwn = isKnownUniquelyReferenced(&storage)
        if isOwn, let storage { return storage }
        let copy = Storage(storage?.value)
        storage = copy
        return copy
    }

    public init(from decoder: any Decoder) throws {
        self.init(wrappedValue: try decoder.singleValueContainer().decode(Value.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }

    /// Two that share their value are equal without a look at it.
    public static func == (left: IndirectIfPresent, right: IndirectIfPresent) -> Bool {
        left.storage === right.storage || left.wrappedValue == right.wrappedValue
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(wrappedValue) }
}

/// What is written of a value shows what is in it, as with any other field.
extension IndirectIfPresent: CustomReflectable {
    public var customMirror: Mirror {
        Mirror(self, children: ["wrappedValue": wrappedValue as Any], displayStyle: .struct)
    }
}

// As those of ``ZeroIfAbsent``.
extension KeyedDecodingContainer {
    public func decode<Value>(_: IndirectIfPresent<Value>.Type, forKey key: Key) throws -> IndirectIfPresent<Value> {
        IndirectIfPresent(wrappedValue: try decodeIfPresent(Value.self, forKey: key))
    }
}

extension KeyedEncodingContainer {
    public mutating func encode<Value>(_ value: IndirectIfPresent<Value>, forKey key: Key) throws {
        try encodeIfPresent(value.wrappedValue, forKey: key)
    }
}
