internal import KubernetesAPI

/// `pods/NAME/eviction`: what `kubectl drain` asks for.
extension EndpointAPI {
    func evict(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> APIResponse {
        let name = try name(info)
        let body = try body(of: request)
        let kind = body.string("kind")
        guard kind.isEmpty || kind == "Eviction" else {
            throw .badRequest("the object provided is unrecognized as an Eviction: its kind is \"\(kind)\"")
        }
        let given = body.string("metadata", "name")
        guard given.isEmpty || given == name else {
            throw .badRequest("name in URL does not match name in Eviction object: \(name) is not \(given)")
        }
        let deletion = try DeletionRequest(body: body["deleteOptions"], query: request.query)
        try await operations.evict(resource, namespace: info.namespace ?? "", name: name, request: deletion)
        return .json(
            ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201], status: 201)
    }
}
