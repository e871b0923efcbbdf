/// A number or a string, as in a probe's port or a rolling update's bounds: `8080`, `"http"`, `"25%"`.
public enum IntOrString: Hashable, Sendable {
    case int(Int32)
    case string(String)
}

extension IntOrString: Codable, SchemaLeaf {
    public static var schemaType: SchemaLeafType { .intOrString }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .string(text)
        } else {
            self = .int(try container.decode(Int32.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .int(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        }
    }
}

extension IntOrString: CustomStringConvertible {
    public var description: String {
        switch self {
        case .int(let value): String(value)
        case .string(let value): value
        }
    }
}

extension IntOrString: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    public init(integerLiteral value: Int32) { self = .int(value) }
    public init(stringLiteral value: String) { self = .string(value) }
}
