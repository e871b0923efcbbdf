public import KubernetesAPI

extension APIClient {
    /// - Parameter namespace: nil for cluster-scoped kinds.
    public func get<T: KubernetesResource>(
        _ type: T.Type, namespace: String? = nil, name: String
    ) async throws(APIError) -> T {
        try await object(APIRequest(.get, T.definition.path(namespace: namespace, name: name)))
    }

    /// Creates an object in the namespace its metadata names.
    public func create<T: KubernetesResource>(_ object: T) async throws(APIError) -> T {
        try await write(object, .post, T.definition.path(namespace: object.metadata.namespace))
    }

    /// Replaces an object. With a `resourceVersion` in it the write fails as a conflict if someone was faster.
    public func update<T: KubernetesResource>(_ object: T) async throws(APIError) -> T {
        try await replace(object, subresource: nil)
    }

    /// Replaces the status of an object; everything else in it is ignored by the server.
    public func updateStatus<T: KubernetesResource>(_ object: T) async throws(APIError) -> T {
        try await replace(object, subresource: "status")
    }

    /// Patches an object or one of its subresources.
    ///
    /// - Parameter body: the patch; an array for `PatchType.json`.
    public func patch<T: KubernetesResource>(
        _ type: T.Type, namespace: String? = nil, name: String, subresource: String? = nil, type patchType: PatchType,
        body: JSONValue
    ) async throws(APIError) -> T {
        try await object(
            APIRequest(
                .patch, T.definition.path(namespace: namespace, name: name, subresource: subresource),
                body: body.serialized(), contentType: patchType.rawValue))
    }

    /// Asks for an object's deletion, which may take its grace period or wait for finalizers.
    public func delete<T: KubernetesResource>(
        _ type: T.Type, namespace: String? = nil, name: String, options: DeleteOptions = DeleteOptions()
    ) async throws(APIError) {
        let request = APIRequest(.delete, T.definition.path(namespace: namespace, name: name))
        _ = try await send(with(request, body: options))
    }

    /// Assigns a pod to a node.
    ///
    /// - Parameter uid: makes the server refuse when the pod has been replaced meanwhile.
    public func bind(
        podNamespace: String, podName: String, uid: String?, nodeName: String
    ) async throws(APIError) {
        let binding = Binding(
            metadata: ObjectMeta(name: podName, namespace: podNamespace, uid: uid),
            target: ObjectReference(kind: "Node", name: nodeName, apiVersion: "v1"))
        let path = Pod.definition.path(namespace: podNamespace, name: podName, subresource: "binding")
        _ = try await send(with(APIRequest(.post, path), body: binding))
    }

    /// Posts to a subresource whose request and answer are of one kind, such as `serviceaccounts/<name>/token`.
    public func createSubresource<Owner: KubernetesResource, Body: Codable & Sendable>(
        of type: Owner.Type, namespace: String? = nil, name: String, subresource: String, body: Body
    ) async throws(APIError) -> Body {
        let path = Owner.definition.path(namespace: namespace, name: name, subresource: subresource)
        return try await object(with(APIRequest(.post, path), body: body))
    }

    private func replace<T: KubernetesResource>(_ object: T, subresource: String?) async throws(APIError) -> T {
        let metadata = object.metadata
        guard let name = metadata.name, !name.isEmpty else {
            throw .transport(.invalidRequest, "metadata.name: missing", request: "PUT \(T.definition.plural)")
        }
        return try await write(
            object, .put,
            T.definition.path(namespace: metadata.namespace, name: name, subresource: subresource))
    }

    private func write<T: KubernetesResource>(
        _ object: T, _ method: APIRequest.Method, _ path: String
    ) async throws(APIError) -> T {
        if T.definition.namespaced, (object.metadata.namespace ?? "").isEmpty {
            throw .transport(.invalidRequest, "metadata.namespace: missing", request: "\(method.rawValue) \(path)")
        }
        return try await self.object(with(APIRequest(method, path), body: object))
    }

    private func with(_ request: APIRequest, body: some Encodable) throws(APIError) -> APIRequest {
        var request = request
        request.body = try ResourceCoding.encode(body, request: request.label)
        return request
    }

    private func object<T: Decodable>(_ request: APIRequest) async throws(APIError) -> T {
        let response = try await send(request)
        let value = try ResourceCoding.value(response.body, request: request.label)
        return try ResourceCoding.decode(T.self, from: value, request: request.label)
    }
}
