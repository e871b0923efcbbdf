internal import KubernetesAPI
internal import Logging
internal import NIOCore

/// The HTTP face of the API: who asks, what for, in which form; the work itself is in ``ResourceOperations``.
final class EndpointAPI: Sendable {
    /// Bodies beyond this are refused unread.
    static let bodyLimit = 3 << 20

    let operations: ResourceOperations
    let logSource: (any PodLogSource)?
    let metricsSource: (any UsageMetricsSource)?
    /// The ways to nodes and pods; nil where nothing is asked of them.
    let backends: BackendClients?
    /// The node in this process: its API is on the loopback.
    let ownNode: String?
    let tokens: ServiceAccountTokens
    private let discovery: Discovery
    private let openAPI: OpenAPIDocuments
    private let health: HealthState
    let watchDefaults: WatchDefaults
    let metrics = RequestMetrics()
    /// Where a copy of the store goes when it is asked for; nil: nowhere.
    private let copyPath: String?

    init(
        operations: ResourceOperations, logSource: (any PodLogSource)?,
        metricsSource: (any UsageMetricsSource)? = nil, backends: BackendClients? = nil, ownNode: String? = nil,
        health: HealthState = HealthState(), signer: TokenSigner = .ephemeral(),
        watchDefaults: WatchDefaults = WatchDefaults(), copyPath: String? = nil
    ) {
        self.copyPath = copyPath
        self.operations = operations
        tokens = ServiceAccountTokens(signer: signer, store: operations.store, now: { [operations] in operations.now })
        self.logSource = logSource
        self.metricsSource = metricsSource
        self.backends = backends
        self.ownNode = ownNode
        self.health = health
        self.watchDefaults = watchDefaults
        discovery = Discovery(registry: operations.registry)
        openAPI = OpenAPIDocuments(registry: operations.registry)
    }

    /// Answers one request; every failure becomes a Status.
    /// - Parameter identity: nil when the client proved none.
    func respond(to request: APIRequest, identity: Identity?) async -> APIResponse {
        do {
            return try await answer(request, identity: identity)
        } catch {
            return .failure(error)
        }
    }

    private func answer(_ request: APIRequest, identity: Identity?) async throws(APIStatusError) -> APIResponse {
        if let answer = health.answer(request) { return answer }
        guard var identity, identity.expiry >= operations.now.seconds else { throw .unauthorized }
        if let other = request.impersonation { identity = try other.identity(for: identity, operations.access) }
        let info = try RequestInfo(method: request.method, path: request.path, isWatch: request.query.flag("watch"))
        try authorize(identity, info, request)
        guard let info else {
            if request.path == Self.copyRequestPath { return try await copyStore(request) }
            guard request.method == "GET" || request.method == "HEAD" else { throw .methodNotAllowed }
            if let answer = await exposition(request) { return answer }
            if let answer = try discovery.answer(request) { return answer }
            if let answer = try openAPI.answer(request) { return answer }
            if let answer = tokens.answer(request) { return answer }
            throw .pathNotFound
        }
        guard let resource = operations.registry.resource(for: info) else { throw .pathNotFound }
        if !resource.definition.namespaced, info.namespace != nil { throw .pathNotFound }
        if resource.isComputed, info.subresource == nil { return try await readMetrics(request, info, resource) }
        if resource.isReview { return try review(request, info, resource, identity) }
        if let subresource = info.subresource {
            return try await answerSubresource(subresource, request, info, resource, identity)
        }
        switch info.verb {
        case .get, .list, .watch: return try read(request, info, resource)
        case .create: return try await create(request, info, resource, identity)
        case .update: return try await update(request, info, resource, identity)
        case .patch: return try await patch(request, info, resource, identity)
        case .delete:
            try NodeRules.checkPod(identity, info, operations.store)
            return try await delete(request, info, resource)
        case .deletecollection: return try await deleteCollection(request, info, resource)
        }
    }

    /// Asked by `swiftlet server backup`; the copy is for whoever may read the endpoint's own directory.
    static var copyRequestPath: String { "/swiftlet/v1/copy-store" }

    private func copyStore(_ request: APIRequest) async throws(APIStatusError) -> APIResponse {
        guard request.method == "POST" else { throw .methodNotAllowed }
        guard let copyPath else { throw .pathNotFound }
        do { try await operations.store.copy(to: copyPath) } catch { throw .internalError("\(error)") }
        return .text("copied")
    }

    private func answerSubresource(
        _ subresource: String, _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource,
        _ identity: Identity
    ) async throws(APIStatusError) -> APIResponse {
        if subresource == "status", resource.strategy.hasStatus {
            try NodeRules.checkPod(identity, info, operations.store)
            return try await answer(about: .status, request, info, resource, identity)
        }
        guard let known = resource.subresources.first(where: { $0.name == subresource }) else { throw .pathNotFound }
        guard known.verbs.contains(info.verb.rawValue) else { throw .methodNotAllowed }
        switch subresource {
        case "approval": return try await answer(about: .approval, request, info, resource, identity)
        case "binding": return try await bind(request, info, resource)
        case "eviction": return try await evict(request, info, resource)
        case "ephemeralcontainers":
            return try await answer(about: .ephemeralContainers, request, info, resource, identity)
        case "attach", "exec", "portforward":
            throw .badRequest("Upgrade request required: \(subresource) needs SPDY/3.1 or a WebSocket")
        case "log": return try await logs(request, info, resource)
        case "proxy": return try await proxy(request, info, resource)
        case "scale": return try await answerScale(request, info, resource)
        case "token": return try createToken(request, info, identity)
        case "resize": return try await answer(about: .resources, request, info, resource, identity)
        default: throw .pathNotFound
        }
    }

    /// A subresource that is a part of the object itself.
    private func answer(
        about part: ObjectPart, _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource,
        _ identity: Identity
    ) async throws(APIStatusError) -> APIResponse {
        switch info.verb {
        case .get: return try read(request, info, resource)
        case .update: return try await update(request, info, resource, identity, part)
        case .patch: return try await patch(request, info, resource, identity, part)
        case .list, .watch, .create, .delete, .deletecollection: throw .methodNotAllowed
        }
    }

    // MARK: Bodies and answers

    /// The body as JSON, from JSON or YAML.
    func body(of request: APIRequest) throws(APIStatusError) -> JSONValue {
        let type = MediaType(parsing: request.contentType)?.name ?? "application/json"
        switch type {
        case "application/json", "*/*": return try parseJSON(request.body)
        case "application/yaml", "text/yaml", "application/x-yaml": return try parseYAML(request.body)
        case KubernetesProtobuf.mediaType: return try KubernetesProtobuf.decode(Array(request.body.readableBytesView))
        default: throw .unsupportedMediaType(["application/json", "application/yaml"])
        }
    }

    /// The body, and the fields it has more than once: what becomes of those is for the client to say.
    func bodyWithDuplicates(of request: APIRequest) throws(APIStatusError) -> (JSONValue, duplicates: [String]) {
        let type = MediaType(parsing: request.contentType)?.name ?? "application/json"
        guard type == "application/json" || type == "*/*" else { return (try body(of: request), []) }
        return try parseJSONWithDuplicates(request.body)
    }

    func parseJSONWithDuplicates(_ body: ByteBuffer) throws(APIStatusError) -> (JSONValue, duplicates: [String]) {
        do { return try JSONValue.parsingWithDuplicates(body.readableBytesView) } catch {
            throw .badRequest("the body is not valid JSON: \(error)")
        }
    }

    func parseJSON(_ body: ByteBuffer) throws(APIStatusError) -> JSONValue {
        do { return try JSONValue(parsing: body.readableBytesView) } catch {
            throw .badRequest("the body is not valid JSON: \(error)")
        }
    }

    func parseYAML(_ body: ByteBuffer) throws(APIStatusError) -> JSONValue {
        let documents: [YAMLDocument]
        do {
            documents = try YAMLDocuments.parse(String(buffer: body), file: "request body")
        } catch {
            throw .badRequest("the body is not valid YAML: \(error)")
        }
        guard documents.count == 1 else {
            throw .badRequest("the body must hold one YAML document, not \(documents.count)")
        }
        return documents[0].value
    }

    /// Warnings as kubectl prints them before its own output.
    static func warningHeaders(_ warnings: [String]) -> [(name: String, value: String)] {
        warnings.map { warning in
            let text = warning.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return ("Warning", "299 - \"\(text)\"")
        }
    }

    func answer(_ result: WriteResult, _ request: APIRequest, _ resource: RegisteredResource) throws(APIStatusError)
        -> APIResponse
    {
        let form = try representation(request)
        let status = result.isCreated ? 201 : 200
        var answer: APIResponse
        if form.form == .object, let json = result.json {
            answer = APIResponse(
                status: status, contentType: form.contentType, body: .bytes(ByteBuffer(bytes: json)))
        } else {
            answer = .json(
                try shown(result.value, form, resource, request), status: status, contentType: form.contentType)
        }
        answer.headers = Self.warningHeaders(result.warnings)
        return answer
    }

    func representation(_ request: APIRequest) throws(APIStatusError) -> Representation {
        guard let form = Representation(accept: request.accept) else { throw .notAcceptable }
        return form
    }

    /// One object in the wanted form.
    func shown(
        _ value: JSONValue, _ form: Representation, _ resource: RegisteredResource, _ request: APIRequest
    ) throws(APIStatusError) -> JSONValue {
        switch form.form {
        case .object: return value
        case .partialMetadata(let version): return PartialMetadata.of(value, version: version)
        case .table(let version):
            let metadata: JSONValue = ["resourceVersion": .string(value.string("metadata", "resourceVersion"))]
            return resource.table.table(
                of: [value], version: version, listMetadata: metadata, include: try includeObject(request),
                now: operations.now)
        }
    }

    func includeObject(_ request: APIRequest) throws(APIStatusError) -> TableLayout.IncludeObject {
        let text = request.query["includeObject"]
        if text.isEmpty { return .metadata }
        guard let known = TableLayout.IncludeObject(rawValue: text) else {
            throw .badRequest(
                "query parameter includeObject: unsupported value \"\(text)\": must be None, Metadata or Object")
        }
        return known
    }
}
