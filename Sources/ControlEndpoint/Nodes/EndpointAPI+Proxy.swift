internal import KubernetesAPI
internal import NIOCore
internal import NIOHTTP1
internal import Streaming

/// `nodes/NAME/proxy`, `pods/NAME/proxy` and `services/NAME/proxy`: requests that are passed on to what serves there.
extension EndpointAPI {
    func proxy(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> APIResponse {
        guard let backends, let path = info.proxyPath else {
            throw .unavailable("nothing is passed on by this endpoint")
        }
        // Without the slash, a page's own links would lead beside it.
        if path.isEmpty, request.method == "GET" || request.method == "HEAD" {
            var location = request.path + "/"
            if !request.rawQuery.isEmpty { location += "?" + request.rawQuery }
            return APIResponse(
                status: 301, contentType: "", body: .bytes(ByteBuffer()), headers: [("Location", location)])
        }
        let proxied = try proxied(request, path, info, resource)
        let passed = BackendRequest(
            method: request.method, target: proxied.target, headers: proxied.headers, body: request.body)
        switch proxied.destination {
        case .node(let place):
            do { return Self.answer(try await backends.send(passed, to: place), proxied.prefix) } catch {
                throw .nodeUnreachable(place, error)
            }
        case .pod(let backend, let scheme):
            do {
                let answer = try await backends.send(
                    passed, scheme: scheme, address: backend.address, port: backend.port)
                return Self.answer(answer, proxied.prefix)
            } catch {
                throw APIStatusError(
                    code: 502, reason: "",
                    message: "error trying to reach service at \(backend.address):\(backend.port): \(error)")
            }
        }
    }

    /// A request that wants another protocol of what serves there; nil when it is not for a `proxy` subresource.
    func proxiedUpgrade(
        _ request: UpgradeRequest, _ identity: Identity?, source: String
    ) throws(APIStatusError) -> ProxiedRequest? {
        let identity = try caller(of: request, identity)
        var call = APIRequest(method: request.method, target: request.target)
        guard let info = try RequestInfo(method: request.method, path: call.path, isWatch: false),
            let path = info.proxyPath
        else { return nil }
        try authorize(identity, info, call)
        if info.resource == "nodes" {
            // Commands run in pods by this way, too: to be allowed to read is not enough.
            var running = info
            running.verb = .create
            try authorize(identity, running, call)
        }
        guard let resource = operations.registry.resource(for: info),
            resource.subresources.contains(where: { $0.name == "proxy" })
        else { throw .pathNotFound }
        let length = request.headers["content-length"].first ?? "0"
        guard length == "0", request.headers["transfer-encoding"].isEmpty else {
            throw .badRequest("a request for another protocol must not have a body")
        }
        guard request.target.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .badRequest("the path holds bytes that are to be percent-encoded")
        }
        call.headers = request.headers.map { (name: $0.name, value: $0.value) }
        var proxied = try proxied(call, path, info, resource)
        // As kube-apiserver does: servers that compare it with a page's origin are to find what the page was loaded from.
        proxied.headers.replaceOrAdd(name: "Host", value: request.headers["host"].first ?? "localhost")
        if !source.isEmpty {
            let chain = proxied.headers["x-forwarded-for"] + [source]
            proxied.headers.replaceOrAdd(name: "X-Forwarded-For", value: chain.joined(separator: ", "))
        }
        proxied.headers.replaceOrAdd(name: "Connection", value: "Upgrade")
        proxied.headers.replaceOrAdd(name: "Upgrade", value: request.isWebSocket ? "websocket" : "SPDY/3.1")
        return proxied
    }

    /// - Parameter path: what is asked for there.
    private func proxied(
        _ request: APIRequest, _ path: String, _ info: RequestInfo, _ resource: RegisteredResource
    ) throws(APIStatusError) -> ProxiedRequest {
        guard let target = ProxyTarget(parsing: try name(info)) else {
            throw .badRequest("invalid \(info.resource) request \"\(info.name ?? "")\": expected [SCHEME:]NAME[:PORT]")
        }
        var headers = ProxyHeaders.passed(request.headers)
        headers.replaceOrAdd(name: "X-Forwarded-Uri", value: request.path)
        return ProxiedRequest(
            destination: try destination(target, info, resource),
            target: (path.isEmpty ? "/" : path) + (request.rawQuery.isEmpty ? "" : "?" + request.rawQuery),
            headers: headers, prefix: String(request.path.dropLast(path.utf8.count)))
    }

    private func destination(
        _ target: ProxyTarget, _ info: RequestInfo, _ resource: RegisteredResource
    ) throws(APIStatusError) -> ProxiedRequest.Destination {
        let backend: ProxyBackend
        switch info.resource {
        case "nodes":
            var place = try place(ofNode: target.name)
            if let port = target.port {
                guard let number = Int(port), (1...65535).contains(number) else {
                    throw .badRequest("invalid port \"\(port)\"")
                }
                place.port = number
            }
            return .node(place)
        case "pods":
            let pod = try operations.get(resource, namespace: info.namespace, name: target.name)
            backend = try ProxyBackend(pod: pod.value, target)
        default:
            let service = try operations.get(resource, namespace: info.namespace, name: target.name)
            backend = try self.backend(of: service, target)
        }
        guard ProxyBackend.isAllowed(backend.address) else {
            throw .forbidden(nil, "", "address \(backend.address) is not that of a pod")
        }
        return .pod(backend, scheme: target.scheme)
    }

    private func backend(of service: StoredObject, _ target: ProxyTarget) throws(APIStatusError) -> ProxyBackend {
        let (namespace, name) = (service.key.namespace, service.key.name)
        guard let port = ProxyBackend.port(of: service.value, named: target.port) else {
            throw .unavailable("no service port \"\(target.port ?? "")\" found for service \"\(name)\"")
        }
        let selector = service.value.stringMap(at: "spec", "selector")
        let found: [ProxyBackend]
        if selector.isEmpty {
            let slices = operations.store.list(ResourceID(group: "discovery.k8s.io", plural: "endpointslices")).objects
                .filter { $0.key.namespace == namespace && $0.labels["kubernetes.io/service-name"] == name }
            found = slices.flatMap { ProxyBackend.all(inSlice: $0.value, port: port) }
        } else {
            let pods = operations.store.list(ResourceID(group: "", plural: "pods")).objects
                .filter { pod in
                    pod.key.namespace == namespace && selector.allSatisfy { pod.labels[$0.key] == $0.value }
                }
            found = pods.compactMap { ProxyBackend(readyPod: $0.value, servicePort: port) }
        }
        guard let chosen = found.randomElement() else {
            throw .unavailable("no endpoints available for service \"\(name)\"")
        }
        return chosen
    }

    private static func answer(_ answer: BackendAnswer, _ prefix: String) -> APIResponse {
        var headers = ProxyHeaders.answered(answer.headers, prefix: prefix)
        let contentType = headers["content-type"].first ?? ""
        headers.remove(name: "content-type")
        let body = answer.body
        return APIResponse(
            status: answer.status, contentType: contentType,
            body: .stream { client in try await copy(body, to: client) },
            headers: headers.map { (name: $0.name, value: $0.value) })
    }
}
