/// A field Kubernetes requires, decoded as its zero value when the input leaves it out or sets it to null.
///
/// A missing `spec.containers` is then an empty list, and validation can answer `spec.containers: Required value` with
/// every other problem of the object beside it, where a decoding error would name only the first. The field is always
/// encoded, as Kubernetes does for fields without `omitempty`.
@propertyWrapper
public struct ZeroIfAbsent<Value: ZeroValued & Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    public var wrappedValue: Value

    public init(wrappedValue: Value) {
        self.wrappedValue = wrappedValue
    }

    public init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode(Value.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

/// A type with a value that stands for "nothing given", as every Go type has.
public protocol ZeroValued {
    static var zeroValue: Self { get }
}

extension String: ZeroValued {
    public static var zeroValue: String { "" }
}

extension Bool: ZeroValued {
    public static var zeroValue: Bool { false }
}

extension Int32: ZeroValued {
    public static var zeroValue: Int32 { 0 }
}

extension Int64: ZeroValued {
    public static var zeroValue: Int64 { 0 }
}

extension Array: ZeroValued {
    public static var zeroValue: [Element] { [] }
}

extension Dictionary: ZeroValued {
    public static var zeroValue: [Key: Value] { [:] }
}

extension IntOrString: ZeroValued {
    public static var zeroValue: IntOrString { .int(0) }
}

extension JSONValue: ZeroValued {
    public static var zeroValue: JSONValue { .null }
}

// Synthesised Codable conformances call these overloads, because they are more specific than the generic ones: the
// wrapper itself never shows in a coder, which sees the plain optional field.
extension KeyedDecodingContainer {
    public func decode<Value>(_: ZeroIfAbsent<Value>.Type, forKey key: Key) throws -> ZeroIfAbsent<Value> {
        ZeroIfAbsent(wrappedValue: try decodeIfPresent(Value.self, forKey: key) ?? Value.zeroValue)
    }
}

extension KeyedEncodingContainer {
    public mutating func encode<Value>(_ value: ZeroIfAbsent<Value>, forKey key: Key) throws {
        try encode(value.wrappedValue, forKey: key)
    }
}
