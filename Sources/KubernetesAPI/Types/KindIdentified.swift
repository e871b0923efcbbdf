/// A type whose JSON says what it is through `apiVersion` and `kind`.
public protocol KindIdentified: Sendable {
    /// `v1` or `apps/v1`.
    static var expectedAPIVersion: String { get }
    /// `Pod`.
    static var expectedKind: String { get }
}

extension KindIdentified where Self: KubernetesResource {
    public static var expectedAPIVersion: String { definition.apiVersion }
    public static var expectedKind: String { definition.kind }
}

/// The `apiVersion` of an object of type `Object`: the type's own unless the input says otherwise.
///
/// Items of a list carry no `apiVersion` when a server sends them; they decode to the same value as the object alone.
@propertyWrapper
public struct APIVersionOf<Object: KindIdentified>: Codable, Hashable, Sendable {
    public var wrappedValue: String

    public init() {
        wrappedValue = Object.expectedAPIVersion
    }

    public init(wrappedValue: String) {
        self.wrappedValue = wrappedValue
    }

    public init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

/// The `kind` of an object of type `Object`: the type's own unless the input says otherwise.
@propertyWrapper
public struct KindOf<Object: KindIdentified>: Codable, Hashable, Sendable {
    public var wrappedValue: String

    public init() {
        wrappedValue = Object.expectedKind
    }

    public init(wrappedValue: String) {
        self.wrappedValue = wrappedValue
    }

    public init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

extension KeyedDecodingContainer {
    public func decode<Object>(_: APIVersionOf<Object>.Type, forKey key: Key) throws -> APIVersionOf<Object> {
        try decodeIfPresent(String.self, forKey: key).map(APIVersionOf.init(wrappedValue:)) ?? APIVersionOf()
    }

    public func decode<Object>(_: KindOf<Object>.Type, forKey key: Key) throws -> KindOf<Object> {
        try decodeIfPresent(String.self, forKey: key).map(KindOf.init(wrappedValue:)) ?? KindOf()
    }
}

extension KeyedEncodingContainer {
    public mutating func encode<Object>(_ value: APIVersionOf<Object>, forKey key: Key) throws {
        try encode(value.wrappedValue, forKey: key)
    }

    public mutating func encode<Object>(_ value: KindOf<Object>, forKey key: Key) throws {
        try encode(value.wrappedValue, forKey: key)
    }
}
