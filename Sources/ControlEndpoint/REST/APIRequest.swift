internal import KubernetesAPI
internal import NIOCore

/// One HTTP request as the API sees it, whatever carried it.
struct APIRequest: Sendable {
    var method: String
    /// Path as sent, still percent-encoded, without the query.
    var path: String
    var query: QueryParameters
    var accept: String = ""
    var contentType: String = ""
    var ifNoneMatch: String = ""
    var userAgent: String = ""
    /// Whom the client wants to act as; nil: itself.
    var impersonation: Impersonation?
    /// All of them, for those that pass the request on.
    var headers: [(name: String, value: String)] = []
    /// The query as sent.
    let rawQuery: String
    var body = ByteBuffer()

    init(method: String, target: String) {
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts.first.map(String.init) ?? "/"
        rawQuery = parts.count > 1 ? String(parts[1]) : ""
        query = QueryParameters(parsing: rawQuery)
    }
}

/// The client of an answer that is written bit by bit.
struct StreamClient: Sendable {
    /// Sends a part; throws when the client has gone.
    var write: @Sendable (ByteBuffer) async throws -> Void
    /// Registers what is to happen when the client goes while nothing is being written.
    var onGone: @Sendable (_ handler: @escaping @Sendable () -> Void) -> Void
    /// Lets go of a client that takes nothing: a write under way fails.
    var abort: @Sendable () -> Void = {}
}

/// The answer: either whole, or a stream that ends when its client leaves or the endpoint stops.
struct APIResponse: Sendable {
    enum Body: Sendable {
        case bytes(ByteBuffer)
        case stream(@Sendable (_ client: StreamClient) async throws -> Void)
    }

    var status: Int
    var contentType: String
    var body: Body
    var headers: [(name: String, value: String)] = []

    static func json(_ value: JSONValue, status: Int = 200, contentType: String = "application/json") -> APIResponse {
        APIResponse(status: status, contentType: contentType, body: .bytes(ByteBuffer(bytes: value.serialized())))
    }

    static func text(_ text: String, status: Int = 200) -> APIResponse {
        APIResponse(status: status, contentType: "text/plain; charset=utf-8", body: .bytes(ByteBuffer(string: text)))
    }

    static func failure(_ error: APIStatusError) -> APIResponse { .json(error.body, status: error.code) }
}
