internal import HTTPTypes
internal import Hummingbird
internal import KubernetesAPI
internal import Logging
internal import NIOCore

/// Carries requests between HTTP and ``EndpointAPI``.
struct EndpointResponder: HTTPResponder {
    struct Context: RequestContext {
        var coreContext: CoreRequestContextStorage
        let channel: any Channel

        init(source: ApplicationRequestContextSource) {
            coreContext = CoreRequestContextStorage(source: source)
            channel = source.channel
        }
    }

    let api: EndpointAPI
    let identities: ConnectionIdentities
    /// Nil when nothing is written down.
    let audit: AuditLog?

    func respond(to request: Request, context: Context) async throws -> Response {
        let received = Timestamp.now()
        var call = APIRequest(method: request.method.rawValue, target: request.head.path ?? "/")
        call.accept = request.headers[.accept] ?? ""
        call.contentType = request.headers[.contentType] ?? ""
        call.ifNoneMatch = request.headers[.ifNoneMatch] ?? ""
        call.userAgent = request.headers[.userAgent] ?? ""
        call.impersonation = Impersonation(
            headers: request.headers.lazy.map { (name: $0.name.canonicalName, value: $0.value) })
        if call.path.contains("/proxy") {
            call.headers = request.headers.map { (name: $0.name.canonicalName, value: $0.value) }
        }
        var identity = await identities.identity(of: context.channel)
        if identity == nil, let token = Self.bearerToken(request.headers[.authorization]) {
            identity = api.tokens.identity(token, audiences: [TokenClaims.issuer])?.identity
        }
        let start = ContinuousClock.now
        let (answer, close) = try await answer(to: &call, request, identity)
        let key = api.metricsKey(call)
        api.metrics.answered(key, status: answer.status, after: start.duration(to: .now))
        if let audit {
            audit.record(
                call, target: request.head.path ?? "/", identity: identity,
                source: context.channel.remoteAddress?.ipAddress ?? "", answer, received: received)
        }
        return response(answer, context, key, close: close)
    }

    /// - Returns: `close`: the rest of the request is not worth reading.
    private func answer(
        to call: inout APIRequest, _ request: Request, _ identity: Identity?
    ) async throws -> (APIResponse, close: Bool) {
        if identity == nil || !Self.mayHaveBody(request.method) {
            // A stranger's body is not even read.
            return (await api.respond(to: call, identity: identity), identity == nil)
        }
        let tooLarge = APIResponse.failure(.tooLarge(limit: EndpointAPI.bodyLimit))
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > EndpointAPI.bodyLimit {
            return (tooLarge, true)
        }
        do {
            call.body = try await request.body.collect(upTo: EndpointAPI.bodyLimit)
        } catch is NIOTooManyBytesError {
            return (tooLarge, true)
        }
        return (await api.respond(to: call, identity: identity), false)
    }

    /// The token of an `Authorization: Bearer` header.
    static func bearerToken(_ header: String?) -> String? {
        guard let header, header.utf8.count <= JSONWebToken.lengthLimit else { return nil }
        let parts = header.split(separator: " ")
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    private static func mayHaveBody(_ method: HTTPRequest.Method) -> Bool {
        method != .get && method != .head
    }

    /// - Parameter close: the rest of the request is not worth reading.
    private func response(
        _ answer: APIResponse, _ context: Context, _ key: RequestMetrics.Key, close: Bool
    ) -> Response {
        var headers = HTTPFields()
        if !answer.contentType.isEmpty { headers[.contentType] = answer.contentType }
        if close { headers[.connection] = "close" }
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        let status = HTTPResponse.Status(code: answer.status)
        switch answer.body {
        case .bytes(let buffer):
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: buffer))
        case .stream(let stream):
            let channel = context.channel
            let metrics = api.metrics
            return Response(
                status: status, headers: headers,
                body: ResponseBody { writer in
                    metrics.begin(key)
                    defer { metrics.end(key) }
                    let sink = StreamSink(writer)
                    let client = StreamClient(
                        write: { part in try await sink.write(part) },
                        onGone: { handler in channel.closeFuture.whenComplete { _ in handler() } },
                        abort: { channel.close(promise: nil) })
                    try await stream(client)
                    try await writer.finish(nil)
                })
        }
    }
}
