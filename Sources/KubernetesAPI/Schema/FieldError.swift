/// One thing wrong with one field of an API object, worded as Kubernetes words it.
public struct FieldError: Error, Hashable, Sendable {
    /// What is wrong. The raw value is the `reason` of a `Status` cause.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case notFound = "FieldValueNotFound"
        case required = "FieldValueRequired"
        case duplicate = "FieldValueDuplicate"
        case invalid = "FieldValueInvalid"
        case notSupported = "FieldValueNotSupported"
        case forbidden = "FieldValueForbidden"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"
        case internalError = "InternalError"
        case typeInvalid = "FieldValueTypeInvalid"

        /// The words a user sees.
        public var text: String {
            switch self {
            case .notFound: "Not found"
            case .required: "Required value"
            case .duplicate: "Duplicate value"
            case .invalid, .typeInvalid: "Invalid value"
            case .notSupported: "Unsupported value"
            case .forbidden: "Forbidden"
            case .tooLong: "Too long"
            case .tooMany: "Too many"
            case .internalError: "Internal error"
            }
        }
    }

    public var type: Kind
    public var field: FieldPath
    /// The offending value; nil where Kubernetes shows none (required, forbidden, too long, internal error).
    public var value: JSONValue?
    public var detail: String

    public init(type: Kind, field: FieldPath, value: JSONValue? = nil, detail: String = "") {
        self.type = type
        self.field = field
        self.value = value
        self.detail = detail
    }

    /// The message without the field, as the `message` of a `Status` cause.
    public var body: String {
        var text = type.text
        switch type {
        case .required, .forbidden, .tooLong, .internalError:
            break
        case .notFound, .duplicate, .invalid, .notSupported, .tooMany, .typeInvalid:
            if let value { text += ": \(value)" }
        }
        if !detail.isEmpty { text += ": \(detail)" }
        return text
    }
}

extension FieldError: CustomStringConvertible {
    public var description: String {
        field.isRoot ? body : "\(field): \(body)"
    }
}

extension FieldError {
    public static func required(_ field: FieldPath, _ detail: String = "") -> FieldError {
        FieldError(type: .required, field: field, detail: detail)
    }

    public static func invalid(_ field: FieldPath, _ value: JSONValue, _ detail: String) -> FieldError {
        FieldError(type: .invalid, field: field, value: value, detail: detail)
    }

    public static func invalid(_ field: FieldPath, _ value: String, _ detail: String) -> FieldError {
        FieldError(type: .invalid, field: field, value: .string(value), detail: detail)
    }

    public static func invalid(_ field: FieldPath, _ value: some FixedWidthInteger, _ detail: String) -> FieldError {
        FieldError(type: .invalid, field: field, value: .integer(Int64(clamping: value)), detail: detail)
    }

    /// A value of the wrong JSON type.
    public static func typeInvalid(_ field: FieldPath, _ value: JSONValue, _ detail: String) -> FieldError {
        FieldError(type: .typeInvalid, field: field, value: value, detail: detail)
    }

    public static func duplicate(_ field: FieldPath, _ value: String) -> FieldError {
        FieldError(type: .duplicate, field: field, value: .string(value))
    }

    public static func duplicate(_ field: FieldPath, _ value: JSONValue) -> FieldError {
        FieldError(type: .duplicate, field: field, value: value)
    }

    /// A value outside the listed ones; the list is shown sorted.
    public static func notSupported(_ field: FieldPath, _ value: String, _ supported: [String]) -> FieldError {
        let list = supported.sorted().map { JSONValue.string($0).description }.joined(separator: ", ")
        return FieldError(
            type: .notSupported, field: field, value: .string(value),
            detail: list.isEmpty ? "" : "supported values: \(list)")
    }

    public static func forbidden(_ field: FieldPath, _ detail: String) -> FieldError {
        FieldError(type: .forbidden, field: field, detail: detail)
    }

    public static func notFound(_ field: FieldPath, _ value: String) -> FieldError {
        FieldError(type: .notFound, field: field, value: .string(value))
    }

    /// A value longer than `maximumBytes`.
    public static func tooLong(_ field: FieldPath, maximumBytes: Int) -> FieldError {
        FieldError(type: .tooLong, field: field, detail: "may not be more than \(maximumBytes) bytes")
    }

    /// A list or map of `actual` entries where `maximum` are allowed.
    public static func tooMany(_ field: FieldPath, actual: Int, maximum: Int) -> FieldError {
        FieldError(
            type: .tooMany, field: field, value: .integer(Int64(actual)),
            detail: "must have at most \(maximum) item\(maximum == 1 ? "" : "s")")
    }

    public static func internalError(_ field: FieldPath, _ detail: String) -> FieldError {
        FieldError(type: .internalError, field: field, detail: detail)
    }
}
