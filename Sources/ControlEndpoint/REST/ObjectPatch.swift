internal import KubernetesAPI

/// A patch of one of the kinds the endpoint takes.
enum ObjectPatch: Sendable {
    case json(JSONValue)
    case merge(JSONValue)
    case strategic(JSONValue)
    /// All that one manager wants of the object.
    case apply(JSONValue)

    static let applyMediaType = "application/apply-patch+yaml"
    static let mediaTypes = [
        "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
        applyMediaType,
    ]

    /// - Parameter mediaType: the media type of the body, lowercase, without parameters.
    init(mediaType: String, body: JSONValue) throws(APIStatusError) {
        switch mediaType {
        case "application/json-patch+json": self = .json(body)
        case "application/merge-patch+json": self = .merge(body)
        case "application/strategic-merge-patch+json": self = .strategic(body)
        case Self.applyMediaType: self = .apply(body)
        default: throw .unsupportedMediaType(Self.mediaTypes)
        }
    }

    func apply(to object: JSONValue, resource: RegisteredResource) throws(APIStatusError) -> JSONValue {
        do {
            switch self {
            case .apply:
                throw APIStatusError.unsupportedMediaType(Self.mediaTypes.filter { $0 != Self.applyMediaType })
            case .json(let patch): return try JSONPatch.apply(patch, to: object)
            case .merge(let patch): return try MergePatch.apply(patch, to: object)
            case .strategic(let patch):
                return try StrategicMergePatch.apply(patch, to: object, schema: resource.schema)
            }
        } catch let error as APIStatusError {
            throw error
        } catch {
            throw .badRequest("the patch cannot be applied: \(error)")
        }
    }

    /// The patch as the partial object it describes, directives taken out; nil for a list of operations.
    var objectShape: JSONValue? {
        switch self {
        case .json, .apply: nil
        case .merge(let patch): patch
        case .strategic(let patch): Self.withoutDirectives(patch)
        }
    }

    private static func withoutDirectives(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(members.filter { !$0.key.hasPrefix("$") }.mapValues(withoutDirectives))
        case .array(let elements): .array(elements.map(withoutDirectives))
        case .null, .bool, .integer, .double, .string: value
        }
    }
}
