internal import KubernetesAPI
internal import NIOCore

/// Creating, replacing, patching and deleting over HTTP.
extension EndpointAPI {
    func create(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource, _ identity: Identity
    ) async throws(APIStatusError) -> APIResponse {
        guard info.name == nil else { throw .methodNotAllowed }
        let (body, duplicates) = try bodyWithDuplicates(of: request)
        try NodeRules.checkCreation(identity, info, body: body)
        // Cluster-wide POST of a namespaced object: the body says where.
        var namespace = info.namespace
        if resource.definition.namespaced, namespace == nil {
            let given = body.string("metadata", "namespace")
            namespace = given.isEmpty ? "default" : given
        }
        var options = try WriteOptions(request.query, requester: identity)
        options.duplicateFields = duplicates
        if let view = resource.view {
            let result = try await operations.create(
                resource, shownBy: view, namespace: namespace, body: body, options: options)
            return try answer(result, request, resource)
        }
        let result = try await operations.create(resource, namespace: namespace, body: body, options: options)
        return try answer(result, request, resource)
    }

    func update(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource, _ identity: Identity,
        _ part: ObjectPart = .main
    ) async throws(APIStatusError) -> APIResponse {
        let (body, duplicates) = try bodyWithDuplicates(of: request)
        var options = try WriteOptions(request.query, requester: identity, userAgent: request.userAgent)
        options.duplicateFields = duplicates
        if let view = resource.view {
            let result = try await operations.update(
                resource, shownBy: view, namespace: info.namespace, name: try name(info), part: part, body: body,
                options: options)
            return try answer(result, request, resource)
        }
        let result = try await operations.update(
            resource, namespace: info.namespace, name: try name(info), part: part, body: body, options: options)
        return try answer(result, request, resource)
    }

    func patch(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource, _ identity: Identity,
        _ part: ObjectPart = .main
    ) async throws(APIStatusError) -> APIResponse {
        let type = MediaType(parsing: request.contentType)?.name ?? ""
        let isApply = type == ObjectPatch.applyMediaType
        let (body, duplicates) =
            isApply ? (try parseYAML(request.body), []) : try parseJSONWithDuplicates(request.body)
        let patch = try ObjectPatch(mediaType: type, body: body)
        var options = try WriteOptions(
            request.query, requester: identity, userAgent: isApply ? nil : request.userAgent)
        options.duplicateFields = duplicates
        if options.isForced, !isApply {
            throw .invalidPatchOptions(.forbidden(FieldPath("force"), "may not be specified for non-apply patch"))
        }
        if let view = resource.view {
            if isApply { throw .unsupportedMediaType(ObjectPatch.mediaTypes.filter { $0 != type }) }
            let result = try await operations.modify(
                resource, shownBy: view, namespace: info.namespace, name: try name(info), part: part, options: options
            ) { current throws(APIStatusError) in try patch.apply(to: current, resource: resource) }
            return try answer(result, request, resource)
        }
        let result: WriteResult
        if case .apply(let configuration) = patch {
            result = try await operations.apply(
                resource, namespace: info.namespace, name: try name(info), part: part, configuration: configuration,
                options: options)
        } else {
            result = try await operations.patch(
                resource, namespace: info.namespace, name: try name(info), part: part, patch: patch, options: options)
        }
        return try answer(result, request, resource)
    }

    func delete(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> APIResponse {
        let storage = operations.storage(of: resource)
        let result = try await operations.delete(
            storage, namespace: info.namespace, name: try name(info), request: try deletionRequest(request))
        if !result.isGone || resource.strategy.returnsDeletedObject {
            let left = resource.view?.shown(result.object) ?? result.object
            return try answer(WriteResult(left), request, resource)
        }
        var details: [String: JSONValue] = [
            "name": .string(result.object.key.name), "kind": .string(resource.definition.plural),
            "uid": .string(result.object.uid),
        ]
        if !resource.definition.group.isEmpty { details["group"] = .string(resource.definition.group) }
        return .json([
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": .object(details),
        ])
    }

    func deleteCollection(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> APIResponse {
        guard info.namespace != nil || !resource.definition.namespaced else { throw .methodNotAllowed }
        let storage = operations.storage(of: resource)
        let filter = try filter(request, storage)
        let left = try await operations.deleteCollection(
            storage, namespace: info.namespace, filter: filter, request: try deletionRequest(request))
        return .json([
            "kind": .string(resource.definition.kind + "List"), "apiVersion": .string(resource.definition.apiVersion),
            "metadata": ["resourceVersion": .string(String(operations.store.resourceVersion))],
            "items": .array(left.map { resource.view?.shown($0.value) ?? $0.value }),
        ])
    }

    private func deletionRequest(_ request: APIRequest) throws(APIStatusError) -> DeletionRequest {
        if request.body.readableBytes == 0 { return try DeletionRequest(body: nil, query: request.query) }
        return try DeletionRequest(body: try body(of: request), query: request.query)
    }

    func name(_ info: RequestInfo) throws(APIStatusError) -> String {
        guard let name = info.name else { throw .methodNotAllowed }
        return name
    }

    func filter(_ request: APIRequest, _ resource: RegisteredResource) throws(APIStatusError) -> ObjectFilter {
        try ObjectFilter(
            labelSelector: request.query["labelSelector"], fieldSelector: request.query["fieldSelector"],
            resource: resource)
    }

    /// `pods/NAME/binding`: gives a pod to a node, once.
    func bind(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> APIResponse {
        let body = try body(of: request)
        let binding: Binding
        do {
            binding = try JSONValueDecoder().decode(Binding.self, from: body)
        } catch {
            throw .badRequest("Binding in version \"v1\" cannot be handled as a Binding: \(error)")
        }
        guard let node = binding.target.name, !node.isEmpty else {
            throw .invalid(Binding.definition, try name(info), [.required(FieldPath("target", "name"))])
        }
        let options = try WriteOptions(request.query)
        try await operations.bind(
            resource, namespace: info.namespace, name: try name(info), node: node, uid: binding.metadata.uid,
            options: options)
        return .json(
            ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201], status: 201)
    }
}
