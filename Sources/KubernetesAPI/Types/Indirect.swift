/// ``ZeroIfAbsent`` for a value so large that it is kept apart from what it is part of: to copy, move or store the whole is one
/// reference for it. Copies share it until one of them writes.
@propertyWrapper
public struct Indirect<Value: ZeroValued & Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    /// Written only while nobody else has it.
    private final class Storage: @unchecked Sendable {
        var value: Value

        init(_ value: Value) { self.value = value }
    }

    private var storage: Storage

    public init(wrappedValue: Value) {
        storage = Storage(wrappedValue)
    }

    public var wrappedValue: Value {
        _read { yield storage.value }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
            yield &storage.value
        }
    }

    public init(from decoder: any Decoder) throws {
        self.init(wrappedValue: try decoder.singleValueContainer().decode(Value.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(storage.value)
    }

    /// Two that share their value are equal without a look at it.
    public static func == (left: Indirect, right: Indirect) -> Bool {
        left.storage === right.storage || left.storage.value == right.storage.value
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(storage.value) }
}

/// What is written of a value shows what is in it, as with any other field.
extension Indirect: CustomReflectable {
    public var customMirror: Mirror { Mirror(self, children: ["wrappedValue": wrappedValue], displayStyle: .struct) }
}

// As those of ``ZeroIfAbsent``.
extension KeyedDecodingContainer {
    public func decode<Value>(_: Indirect<Value>.Type, forKey key: Key) throws -> Indirect<Value> {
        Indirect(wrappedValue: try decodeIfPresent(Value.self, forKey: key) ?? Value.zeroValue)
    }
}

extension KeyedEncodingContainer {
    public mutating func encode<Value>(_ value: Indirect<Value>, forKey key: Key) throws {
        try encode(value.wrappedValue, forKey: key)
    }
}
