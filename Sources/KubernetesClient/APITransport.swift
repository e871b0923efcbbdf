public import NIOCore

/// Carries requests to an API server and its answers back: over HTTP, or to a server in the same process.
public protocol APITransport: Sendable {
    /// Returns once the head of an answer is there, whatever its status. Cancelling ends the request.
    func execute(_ request: APIRequest) async throws -> APIAnswer

    /// Closes every connection; requests under way fail, and so do later ones.
    func shutdown() async throws
}

/// An answer whose body is still to be read. Dropping it ends the request.
public struct APIAnswer: Sendable {
    /// Of HTTP.
    public var status: Int
    /// Those that a client acts on, by their names in lower case.
    public var headers: [String: String]
    public var body: any AsyncSequence<ByteBuffer, any Error> & Sendable

    static let retryAfter = "retry-after"
    static let location = "location"
    static let contentEncoding = "content-encoding"

    public init(
        status: Int, headers: [String: String] = [:], body: any AsyncSequence<ByteBuffer, any Error> & Sendable
    ) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// A body that is there as a whole.
public struct CompleteBody: AsyncSequence, Sendable {
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var rest: ByteBuffer?

        public mutating func next() async throws -> ByteBuffer? {
            defer { rest = nil }
            return rest
        }
    }

    private let bytes: ByteBuffer

    public init(_ bytes: ByteBuffer) { self.bytes = bytes }

    public func makeAsyncIterator() -> Iterator { Iterator(rest: bytes) }
}
