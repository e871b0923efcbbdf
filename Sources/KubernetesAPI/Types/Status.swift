/// The body of an error answer, of a completed deletion, and of an `ERROR` watch event.
public struct Status: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "v1" }
    public static var expectedKind: String { "Status" }

    @APIVersionOf<Status> public var apiVersion: String
    @KindOf<Status> public var kind: String
    @ZeroIfAbsent public var metadata: ListMeta
    /// `Success` or `Failure`.
    public var status: String?
    /// One sentence for people.
    public var message: String?
    /// Machine-readable cause, see ``StatusReason``.
    public var reason: String?
    public var details: StatusDetails?
    /// The HTTP status code.
    public var code: Int32?

    public init(
        metadata: ListMeta = ListMeta(), status: String? = nil, message: String? = nil, reason: String? = nil,
        details: StatusDetails? = nil, code: Int32? = nil
    ) {
        self.metadata = metadata
        self.status = status
        self.message = message
        self.reason = reason
        self.details = details
        self.code = code
    }
}

/// What a ``Status`` is about, and the causes when there are several.
public struct StatusDetails: Codable, Hashable, Sendable {
    public var name: String?
    public var group: String?
    /// The resource's plural for most errors, the kind for validation errors.
    public var kind: String?
    public var uid: String?
    public var causes: [StatusCause]?
    /// Seconds a client should wait before it tries again.
    public var retryAfterSeconds: Int32?

    public init(
        name: String? = nil, group: String? = nil, kind: String? = nil, uid: String? = nil,
        causes: [StatusCause]? = nil, retryAfterSeconds: Int32? = nil
    ) {
        self.name = name
        self.group = group
        self.kind = kind
        self.uid = uid
        self.causes = causes
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// One cause of a failure, for example one invalid field.
public struct StatusCause: Codable, Hashable, Sendable {
    public var reason: String?
    public var message: String?
    /// The path of the field, such as `spec.containers[0].image`.
    public var field: String?

    public init(reason: String? = nil, message: String? = nil, field: String? = nil) {
        self.reason = reason
        self.message = message
        self.field = field
    }
}

/// The machine-readable reasons a server puts into ``Status/reason``.
public enum StatusReason: String, CaseIterable, Sendable {
    case unauthorized = "Unauthorized"
    case forbidden = "Forbidden"
    case notFound = "NotFound"
    case alreadyExists = "AlreadyExists"
    case conflict = "Conflict"
    case gone = "Gone"
    case invalid = "Invalid"
    case serverTimeout = "ServerTimeout"
    case storeReadError = "StorageReadError"
    case timeout = "Timeout"
    case tooManyRequests = "TooManyRequests"
    case badRequest = "BadRequest"
    case methodNotAllowed = "MethodNotAllowed"
    case notAcceptable = "NotAcceptable"
    case requestEntityTooLarge = "RequestEntityTooLarge"
    case unsupportedMediaType = "UnsupportedMediaType"
    case internalError = "InternalError"
    case expired = "Expired"
    case serviceUnavailable = "ServiceUnavailable"
}
