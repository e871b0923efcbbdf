internal import KubernetesAPI
public import KubernetesClient
internal import NIOCore

/// The endpoint for clients in its own process: the same requests and answers, audited like all others, with no connection between.
///
/// Whoever holds it is the administrator: in one process agent, controllers and endpoint trust each other anyway.
public final class LocalTransport: APITransport {
    private struct Stream {
        let write: @Sendable (StreamClient) async throws -> Void
        let pipe: AnswerPipe
        let key: RequestMetrics.Key
    }

    private let api: EndpointAPI
    private let audit: AuditLog?
    private let identity: Identity
    private let (streams, stream) = AsyncStream<Stream>.makeStream()

    init(api: EndpointAPI, audit: AuditLog?, identity: Identity) {
        self.api = api
        self.audit = audit
        self.identity = identity
    }

    /// Writes the answers that are streams until the task is cancelled; they end with it.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await stream in streams {
                group.addTask { await self.serve(stream) }
            }
        }
        // What came too late.
        stream.finish()
        for await stream in streams { stream.pipe.finish(.failure(CancellationError())) }
    }

    private func serve(_ stream: Stream) async {
        let pipe = stream.pipe
        api.metrics.begin(stream.key)
        defer { api.metrics.end(stream.key) }
        do {
            try await stream.write(
                StreamClient(
                    write: { try await pipe.write($0) }, onGone: { pipe.onGone($0) },
                    abort: { pipe.finish(.success(())) }))
            pipe.finish(.success(()))
        } catch {
            pipe.finish(.failure(error))
        }
    }

    public func execute(_ request: KubernetesClient.APIRequest) async throws -> APIAnswer {
        let received = Timestamp.now()
        var call = APIRequest(method: request.method.rawValue, target: request.target)
        call.accept = request.accept
        call.userAgent = Self.userAgent
        if let body = request.body {
            guard body.count <= EndpointAPI.bodyLimit else {
                return Self.answer(.failure(.tooLarge(limit: EndpointAPI.bodyLimit)))
            }
            call.contentType = request.contentType
            call.body = ByteBuffer(bytes: body)
        }
        let start = ContinuousClock.now
        let response = await api.respond(to: call, identity: identity)
        let key = api.metricsKey(call)
        api.metrics.answered(key, status: response.status, after: start.duration(to: .now))
        audit?.record(
            call, target: request.target, identity: identity, source: "127.0.0.1", response, received: received)
        guard case .stream(let write) = response.body else { return Self.answer(response) }
        let pipe = AnswerPipe()
        let answer = APIAnswer(status: response.status, headers: Self.headers(response), body: AnswerPipeBody(pipe))
        if case .terminated = stream.yield(Stream(write: write, pipe: pipe, key: key)) {
            pipe.finish(.failure(CancellationError()))
        }
        return answer
    }

    private static let userAgent = "swiftlet"

    private static func answer(_ response: APIResponse) -> APIAnswer {
        guard case .bytes(let bytes) = response.body else {
            return APIAnswer(status: response.status, body: CompleteBody(ByteBuffer()))
        }
        return APIAnswer(status: response.status, headers: headers(response), body: CompleteBody(bytes))
    }

    private static func headers(_ response: APIResponse) -> [String: String] {
        Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
    }

    public func shutdown() async throws {}
}
