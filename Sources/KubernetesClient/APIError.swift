import KubernetesAPI

/// Why a call to the API server failed: the server's own answer (`metav1.Status`) or what broke on the way there.
public struct APIError: Error, Sendable, Hashable {
    /// Where the failure happened.
    public enum Code: Sendable, Hashable {
        /// The server answered with this HTTP status.
        case http(Int)
        /// No usable answer arrived.
        case transport(TransportFailure)
    }

    /// The ways a request can end without a usable answer.
    public enum TransportFailure: String, Sendable, Hashable {
        /// No connection could be made; the server has seen nothing of the request.
        case unreachable
        /// The answer did not arrive in time; the server may have carried the request out.
        case timedOut
        /// The connection broke after the request was sent; the server may have carried the request out.
        case connectionLost
        /// The TLS handshake failed: wrong authority, wrong name, refused client certificate.
        case tls
        /// The answer is larger than the client accepts.
        case bodyTooLarge
        /// The answer is not what the API promises (not JSON, compressed unasked, a page of HTML, …).
        case malformedResponse
        /// The object or the configuration cannot be turned into a request.
        case invalidRequest
        /// The calling task was cancelled.
        case cancelled
        /// `APIClient.shutdown()` was called.
        case clientShutDown
    }

    /// A `metav1.StatusReason`; unknown ones are kept as they came.
    public struct Reason: RawRepresentable, Sendable, Hashable, ExpressibleByStringLiteral {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(stringLiteral value: String) { self.rawValue = value }

        public static let badRequest: Reason = "BadRequest"
        public static let unauthorized: Reason = "Unauthorized"
        public static let forbidden: Reason = "Forbidden"
        public static let notFound: Reason = "NotFound"
        public static let alreadyExists: Reason = "AlreadyExists"
        public static let conflict: Reason = "Conflict"
        public static let gone: Reason = "Gone"
        public static let expired: Reason = "Expired"
        public static let invalid: Reason = "Invalid"
        public static let tooManyRequests: Reason = "TooManyRequests"
        public static let timeout: Reason = "Timeout"
        public static let serverTimeout: Reason = "ServerTimeout"
        public static let serviceUnavailable: Reason = "ServiceUnavailable"
        public static let internalError: Reason = "InternalError"
        public static let methodNotAllowed: Reason = "MethodNotAllowed"
        public static let unsupportedMediaType: Reason = "UnsupportedMediaType"
    }

    /// One entry of `status.details.causes`.
    public struct Cause: Sendable, Hashable {
        public var reason: String
        public var message: String
        public var field: String
    }

    public var code: Code
    public var reason: Reason?
    public var message: String
    /// Seconds the server asked to wait, from `Retry-After` or `details.retryAfterSeconds`.
    public var retryAfterSeconds: Int?
    public var causes: [Cause]
    /// What was asked, e.g. `GET /api/v1/nodes`; never holds a query, a header or a body.
    public var request: String

    public init(
        code: Code, reason: Reason? = nil, message: String, retryAfterSeconds: Int? = nil, causes: [Cause] = [],
        request: String = ""
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
        self.causes = causes
        self.request = request
    }

    static func transport(_ failure: TransportFailure, _ message: String, request: String) -> APIError {
        APIError(code: .transport(failure), message: message, request: request)
    }
}

extension APIError {
    /// The HTTP status, when the server answered.
    public var httpStatus: Int? {
        if case .http(let status) = code { status } else { nil }
    }
    public var isNotFound: Bool { httpStatus == 404 }
    public var isAlreadyExists: Bool { reason == .alreadyExists }
    /// A write lost against another one: read the object again.
    public var isConflict: Bool { httpStatus == 409 && reason != .alreadyExists }
    /// The resource version or continue token is too old: list again.
    public var isExpired: Bool { httpStatus == 410 || reason == .expired || reason == .gone }
    public var isForbidden: Bool { httpStatus == 403 }
    public var isInvalid: Bool { httpStatus == 422 }
    public var isCancelled: Bool { code == .transport(.cancelled) }

    /// Whether it is the server, or the way to it, that is not there.
    public var isUnanswered: Bool {
        switch code {
        case .transport(.unreachable), .transport(.timedOut), .transport(.connectionLost), .transport(.tls): true
        default: false
        }
    }

    /// Whether the same request may succeed later without anyone changing it.
    public var isRetryable: Bool {
        switch code {
        case .http(let status): status == 429 || (500...599).contains(status)
        case .transport(let failure):
            switch failure {
            case .unreachable, .timedOut, .connectionLost, .tls, .malformedResponse: true
            case .bodyTooLarge, .invalidRequest, .cancelled, .clientShutDown: false
            }
        }
    }
}

extension APIError: CustomStringConvertible {
    public var description: String {
        let place = request.isEmpty ? "" : "\(request): "
        switch code {
        case .http(let status):
            return "\(place)HTTP \(status)\(reason.map { " \($0.rawValue)" } ?? ""): \(message)"
        case .transport(let failure):
            return "\(place)\(failure.rawValue): \(message)"
        }
    }
}

extension APIError {
    /// Reads a `metav1.Status`; anything else becomes an error carrying the start of the body.
    ///
    /// - Parameters:
    ///   - httpStatus: the status of the answer, used where the body names none.
    ///   - retryAfter: the `Retry-After` header; a date instead of seconds is ignored.
    ///   - body: the body, however malformed.
    init(httpStatus: Int, retryAfter: String?, body: [UInt8], request: String) {
        let seconds = retryAfter.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
        if let value = try? JSONValue(parsing: body), value["kind"]?.stringValue == "Status" {
            self.init(status: value, httpStatus: httpStatus, request: request)
            retryAfterSeconds = seconds ?? retryAfterSeconds
            return
        }
        let start = String(decoding: body.prefix(Self.excerptLimit), as: UTF8.self)
        let excerpt = String(start.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) })
        self.init(
            code: .http(httpStatus), reason: Reason(httpStatus: httpStatus),
            message: excerpt.isEmpty ? "no message in the answer" : excerpt, retryAfterSeconds: seconds,
            request: request)
    }

    /// Reads a `metav1.Status` object, as in an `ERROR` watch event; missing fields fall back to `httpStatus`.
    init(status: JSONValue, httpStatus: Int, request: String) {
        let code = status["code"]?.intValue.flatMap { Int(exactly: $0) } ?? httpStatus
        let details = status["details"]
        let causes = (details?["causes"]?.arrayValue ?? []).prefix(Self.causeLimit).map {
            Cause(
                reason: $0["reason"]?.stringValue ?? "", message: $0["message"]?.stringValue ?? "",
                field: $0["field"]?.stringValue ?? "")
        }
        let asked = details?["retryAfterSeconds"]?.intValue.flatMap { Int(exactly: $0) } ?? 0
        self.init(
            code: .http(code),
            reason: status["reason"]?.stringValue.map(Reason.init(rawValue:)) ?? Reason(httpStatus: code),
            message: status["message"]?.stringValue ?? "no message in the answer",
            retryAfterSeconds: asked > 0 ? asked : nil, causes: Array(causes), request: request)
    }

    /// Bytes of a foreign body worth showing.
    private static var excerptLimit: Int { 256 }
    /// Causes kept; a server listing more is describing one mistake many times.
    private static var causeLimit: Int { 64 }
}

extension APIError.Reason {
    /// The reason the API server itself would give for a bare HTTP status.
    init?(httpStatus: Int) {
        switch httpStatus {
        case 400: self = .badRequest
        case 401: self = .unauthorized
        case 403: self = .forbidden
        case 404: self = .notFound
        case 405: self = .methodNotAllowed
        case 409: self = .conflict
        case 410: self = .gone
        case 415: self = .unsupportedMediaType
        case 422: self = .invalid
        case 429: self = .tooManyRequests
        case 500: self = .internalError
        case 503: self = .serviceUnavailable
        case 504: self = .timeout
        default: return nil
        }
    }
}
