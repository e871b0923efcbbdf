internal import KubernetesAPI

/// A failed request, as a `metav1.Status`: what kubectl prints after "Error from server".
struct APIStatusError: Error, Sendable {
    var code: Int
    /// Machine-readable cause, such as `NotFound`; empty when Kubernetes has none for the code.
    var reason: String
    var message: String
    /// `details` of the Status: name, group, kind, uid, causes, retryAfterSeconds.
    var details: [String: JSONValue] = [:]
    /// A continue token for the client to go on with, only on an expired list.
    var continueToken: String?
    /// A conflict that trying again on the newest version does not mend.
    var isFinal = false

    /// The Status object.
    var body: JSONValue {
        var metadata: [String: JSONValue] = [:]
        if let continueToken { metadata["continue"] = .string(continueToken) }
        var status: [String: JSONValue] = [
            "kind": .string("Status"), "apiVersion": .string("v1"), "metadata": .object(metadata),
            "status": .string("Failure"), "message": .string(message), "code": .integer(Int64(code)),
        ]
        if !reason.isEmpty { status["reason"] = .string(reason) }
        if !details.isEmpty { status["details"] = .object(details) }
        return .object(status)
    }

    /// `details` naming one object of a kind.
    private static func details(_ resource: ResourceID, _ name: String) -> [String: JSONValue] {
        var details: [String: JSONValue] = ["kind": .string(resource.plural)]
        if !name.isEmpty { details["name"] = .string(name) }
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        return details
    }

    static func notFound(_ resource: ResourceID, _ name: String) -> APIStatusError {
        APIStatusError(
            code: 404, reason: "NotFound", message: "\(resource) \"\(name)\" not found",
            details: details(resource, name))
    }

    /// No such path or resource at all.
    static let pathNotFound = APIStatusError(
        code: 404, reason: "NotFound", message: "the server could not find the requested resource")

    static func alreadyExists(_ resource: ResourceID, _ name: String) -> APIStatusError {
        APIStatusError(
            code: 409, reason: "AlreadyExists", message: "\(resource) \"\(name)\" already exists",
            details: details(resource, name))
    }

    static func conflict(_ resource: ResourceID, _ name: String, _ why: String) -> APIStatusError {
        APIStatusError(
            code: 409, reason: "Conflict", message: "Operation cannot be fulfilled on \(resource) \"\(name)\": \(why)",
            details: details(resource, name))
    }

    /// The optimistic lock failed: the wording clients know.
    static func modified(_ resource: ResourceID, _ name: String) -> APIStatusError {
        conflict(
            resource, name,
            "the object has been modified; please apply your changes to the latest version and try again")
    }

    static func badRequest(_ message: String) -> APIStatusError {
        APIStatusError(code: 400, reason: "BadRequest", message: message)
    }

    static let unauthorized = APIStatusError(code: 401, reason: "Unauthorized", message: "Unauthorized")

    static func forbidden(_ resource: ResourceID?, _ name: String, _ why: String) -> APIStatusError {
        guard let resource else { return APIStatusError(code: 403, reason: "Forbidden", message: "forbidden: \(why)") }
        let named = name.isEmpty ? "\(resource)" : "\(resource) \"\(name)\""
        return APIStatusError(
            code: 403, reason: "Forbidden", message: "\(named) is forbidden: \(why)", details: details(resource, name))
    }

    /// The object breaks one or more rules; each is a cause with its field.
    static func invalid(_ definition: ResourceDefinition, _ name: String, _ causes: [FieldError]) -> APIStatusError {
        let list = causes.map(\.description)
        let text = list.count == 1 ? list[0] : "[\(list.joined(separator: ", "))]"
        let kind = definition.group.isEmpty ? definition.kind : "\(definition.kind).\(definition.group)"
        var details: [String: JSONValue] = ["kind": .string(definition.kind), "name": .string(name)]
        if !definition.group.isEmpty { details["group"] = .string(definition.group) }
        details["causes"] = .array(
            causes.map {
                .object([
                    "reason": .string($0.type.rawValue), "message": .string($0.body),
                    "field": .string($0.field.description),
                ])
            })
        return APIStatusError(
            code: 422, reason: "Invalid", message: "\(kind) \"\(name)\" is invalid: \(text)", details: details)
    }

    static let methodNotAllowed = APIStatusError(
        code: 405, reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource")

    static let notAcceptable = APIStatusError(
        code: 406, reason: "NotAcceptable",
        message: "only the following media types are accepted: application/json, application/yaml")

    static func unsupportedMediaType(_ accepted: [String]) -> APIStatusError {
        APIStatusError(
            code: 415, reason: "UnsupportedMediaType",
            message: "the body of the request was in an unknown format - accepted media types include: "
                + accepted.joined(separator: ", "))
    }

    static func tooLarge(limit: Int) -> APIStatusError {
        APIStatusError(
            code: 413, reason: "RequestEntityTooLarge",
            message: "the request body is larger than the limit of \(limit) bytes")
    }

    static func expired(_ message: String, continueToken: String? = nil) -> APIStatusError {
        APIStatusError(code: 410, reason: "Expired", message: message, continueToken: continueToken)
    }

    /// A client asks for a version of the world that does not exist yet.
    static func versionAhead(requested: Int64, current: Int64) -> APIStatusError {
        APIStatusError(
            code: 504, reason: "Timeout",
            message: "Timeout: Too large resource version: \(requested), current: \(current)",
            details: [
                "retryAfterSeconds": .integer(1),
                "causes": .array([
                    .object([
                        "reason": .string("ResourceVersionTooLarge"), "message": .string("Too large resource version"),
                    ])
                ]),
            ])
    }

    static func insufficientStorage(_ why: String) -> APIStatusError {
        APIStatusError(
            code: 507, reason: "InsufficientStorage", message: "the control endpoint cannot store the change: \(why)")
    }

    static func internalError(_ why: String) -> APIStatusError {
        APIStatusError(code: 500, reason: "InternalError", message: "Internal error occurred: \(why)")
    }

    static func tooManyRequests(_ why: String) -> APIStatusError {
        APIStatusError(code: 429, reason: "TooManyRequests", message: why)
    }

    static func unavailable(_ why: String) -> APIStatusError {
        APIStatusError(code: 503, reason: "ServiceUnavailable", message: why)
    }
}
