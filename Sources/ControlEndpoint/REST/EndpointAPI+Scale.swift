internal import KubernetesAPI

/// `<kind>/NAME/scale`: the number of copies, read and written alike for every workload.
extension EndpointAPI {
    private static let scaleResource = RegisteredResource(Scale.self)

    func answerScale(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> APIResponse {
        let name = try name(info)
        let options = try WriteOptions(request.query, userAgent: request.userAgent)
        switch info.verb {
        case .get:
            let object = try operations.get(resource, namespace: info.namespace, name: name)
            return .json(Self.scale(of: object.value))
        case .update:
            let (body, _) = try operations.checkedBody(
                try body(of: request), for: Self.scaleResource, options: options)
            return try await setScale(body, nil, name, info, resource, options)
        case .patch:
            let type = MediaType(parsing: request.contentType)?.name ?? ""
            let patch = try ObjectPatch(mediaType: type, body: try parseJSON(request.body))
            return try await setScale(nil, patch, name, info, resource, options)
        case .list, .watch, .create, .delete, .deletecollection: throw .methodNotAllowed
        }
    }

    /// Writes the number of a whole Scale or of a patched one.
    private func setScale(
        _ given: JSONValue?, _ patch: ObjectPatch?, _ name: String, _ info: RequestInfo, _ resource: RegisteredResource,
        _ options: WriteOptions
    ) async throws(APIStatusError) -> APIResponse {
        let key = resource.key(namespace: info.namespace, name: name)
        let result = try await operations.modify(resource, key, part: .main, options: options) {
            current throws(APIStatusError) in
            var scale = given ?? Self.scale(of: current.value)
            if let patch { scale = try patch.apply(to: scale, resource: Self.scaleResource) }
            let named = scale.string("metadata", "name")
            guard named.isEmpty || named == name else {
                throw .badRequest("the name of the object (\(named)) does not match the name on the URL (\(name))")
            }
            let (checked, _) = try Self.scaleResource.normalize(scale)
            let replicas = checked[path: "spec", "replicas"]?.intValue ?? 0
            guard replicas >= 0 else {
                throw .invalid(
                    Scale.definition, name,
                    [
                        .invalid(
                            FieldPath("spec", "replicas"), replicas, "must be greater than or equal to 0")
                    ])
            }
            var proposed = current.value
            proposed.set(.integer(replicas), at: "spec", "replicas")
            for field in ["resourceVersion", "uid"] {
                let condition = checked.string("metadata", field)
                if !condition.isEmpty { proposed.set(.string(condition), at: "metadata", field) }
            }
            return proposed
        }
        var answer = APIResponse.json(Self.scale(of: result.value))
        answer.headers = Self.warningHeaders(result.warnings)
        return answer
    }

    private static func scale(of object: JSONValue) -> JSONValue {
        var metadata: [String: JSONValue] = [:]
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[field] = object[path: "metadata", field]
        }
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": .object(metadata),
            "spec": ["replicas": object[path: "spec", "replicas"] ?? 1],
            "status": [
                "replicas": object[path: "status", "replicas"] ?? 0,
                "selector": .string(TableLayout.selectorText(object[path: "spec", "selector"])),
            ],
        ]
    }
}
