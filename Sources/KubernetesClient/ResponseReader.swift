import NIOCore

/// Pulls the body of one answer, chunk by chunk; the request is sent with the first pull.
actor ResponseReader {
    private enum State {
        case unsent
        case streaming(any AsyncIteratorProtocol<ByteBuffer, any Error>)
        /// A pull is under way and holds the iterator.
        case pulling
        case ended
    }

    private let client: APIClient
    private let request: APIRequest
    private var state = State.unsent

    init(client: APIClient, request: APIRequest) {
        self.client = client
        self.request = request
    }

    /// The next chunk, or nil at the end.
    ///
    /// - Throws: `APIError`; afterwards the reader is at its end.
    func next() async throws(APIError) -> ByteBuffer? {
        do {
            var iterator: any AsyncIteratorProtocol<ByteBuffer, any Error>
            switch state {
            case .unsent:
                state = .pulling
                iterator = try await client.open(request).body.makeAsyncIterator()
                client.reachability.answered()
            case .streaming(let current):
                state = .pulling
                iterator = current
            case .pulling:
                throw APIError.transport(.invalidRequest, "the stream has two readers", request: request.label)
            case .ended:
                return nil
            }
            let chunk = try await iterator.next(isolation: self)
            state = chunk == nil ? .ended : .streaming(iterator)
            return chunk
        } catch {
            state = .ended
            throw client.reachability.observed(APIError(transportError: error, request: request.label))
        }
    }
}
