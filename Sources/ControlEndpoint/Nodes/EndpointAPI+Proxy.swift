internal import KubernetesAPI
internal import NIOCore
internal import NIOHTTP1

/// `nodes/NAME/proxy`, `pods/NAME/proxy` and `services/NAME/proxy`: requests that are passed on to what serves there.
extension EndpointAPI {
    /// What concerns one connection, or who asks here, stays here (RFC 9110, 7.6.1).
    private static let ownHeaders: Set<String> = [
        "authorization", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

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
        var passed = BackendRequest(method: request.method, target: path.isEmpty ? "/" : path, body: request.body)
        if !request.rawQuery.isEmpty { passed.target += "?" + request.rawQuery }
        for (name, value) in request.headers {
            let lower = name.lowercased()
            guard !Self.ownHeaders.contains(lower), !lower.hasPrefix("impersonate-") else { continue }
            passed.headers.add(name: name, value: value)
        }
        passed.headers.replaceOrAdd(name: "X-Forwarded-Uri", value: request.path)
        guard let target = ProxyTarget(parsing: try name(info)) else {
            throw .badRequest("invalid \(info.resource) request \"\(info.name ?? "")\": expected [SCHEME:]NAME[:PORT]")
        }
        let prefix = String(request.path.dropLast(path.utf8.count))
        switch info.resource {
        case "nodes":
            var place = try place(ofNode: target.name)
            if let port = target.port {
                guard let number = Int(port), (1...65535).contains(number) else {
                    throw .badRequest("invalid port \"\(port)\"")
                }
                place.port = number
            }
            do { return Self.answer(try await backends.send(passed, to: place), prefix) } catch {
                throw .nodeUnreachable(place, error)
            }
        case "pods":
            let pod = try operations.get(resource, namespace: info.namespace, name: target.name)
            return try await proxy(passed, to: try ProxyBackend(pod: pod.value, target), target, prefix, backends)
        default:
            let service = try operations.get(resource, namespace: info.namespace, name: target.name)
            return try await proxy(passed, to: try backend(of: service, target), target, prefix, backends)
        }
    }

    private func proxy(
        _ request: BackendRequest, to backend: ProxyBackend, _ target: ProxyTarget, _ prefix: String,
        _ backends: BackendClients
    ) async throws(APIStatusError) -> APIResponse {
        guard ProxyBackend.isAllowed(backend.address) else {
            throw .forbidden(nil, "", "address \(backend.address) is not that of a pod")
        }
        do {
            let answer = try await backends.send(
                request, scheme: target.scheme, address: backend.address, port: backend.port)
            return Self.answer(answer, prefix)
        } catch {
            throw APIStatusError(
                code: 502, reason: "",
                message: "error trying to reach service at \(backend.address):\(backend.port): \(error)")
        }
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
        var headers: [(name: String, value: String)] = []
        for (name, value) in answer.headers {
            let lower = name.lowercased()
            guard !ownHeaders.contains(lower), lower != "content-type" else { continue }
            // A redirect on the same host stays behind the proxy.
            let isPath = lower == "location" && value.hasPrefix("/") && !value.hasPrefix("//")
            headers.append((name, isPath ? prefix + value : value))
        }
        let body = answer.body
        return APIResponse(
            status: answer.status, contentType: answer.headers.first(name: "content-type") ?? "",
            body: .stream { client in try await copy(body, to: client) }, headers: headers)
    }
}
