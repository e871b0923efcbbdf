internal import KubernetesAPI

/// The paths of the served resources as OpenAPI operations. Clients look here for the parameters a kind's PATCH takes.
struct OpenAPIPaths: Sendable {
    private let definitions: OpenAPIDefinitions
    private let dialect: OpenAPIDefinitions.Dialect

    init(_ definitions: OpenAPIDefinitions, dialect: OpenAPIDefinitions.Dialect) {
        self.definitions = definitions
        self.dialect = dialect
    }

    func all(_ resources: [RegisteredResource]) -> [String: JSONValue] {
        var paths: [String: JSONValue] = [:]
        for resource in resources {
            let definition = resource.definition
            let namespace = definition.namespaced ? "/namespaces/{namespace}" : ""
            let collection = "\(definition.groupVersionPath)\(namespace)/\(definition.plural)"
            if resource.isReview {
                paths[collection] = [
                    "post": operation("create", resource, parameters: Self.writeParameters, hasBody: true)
                ]
                continue
            }
            if resource.isComputed {
                paths[collection] = ["get": operation("list", resource, answers: definitions.listName(resource))]
                paths["\(collection)/{name}"] = ["get": operation("get", resource)]
                continue
            }
            paths[collection] = [
                "get": operation("list", resource, answers: definitions.listName(resource)),
                "post": operation("create", resource, parameters: Self.writeParameters, hasBody: true),
                "delete": operation("deletecollection", resource, parameters: ["dryRun"]),
            ]
            paths["\(collection)/{name}"] = object(resource)
            // The parts of the object that are read and written apart.
            for subresource in DiscoveryDocuments.subresources(of: resource)
            where subresource.verbs.contains("patch") && subresource.name != "proxy" {
                paths["\(collection)/{name}/\(subresource.name)"] = object(resource, isPart: true)
            }
        }
        return paths
    }

    private static let writeParameters = ["dryRun", "fieldManager", "fieldValidation"]
    private static let patchTypes = ObjectPatch.mediaTypes
    private static let bodyTypes = ["application/json", "application/yaml"]

    private func object(_ resource: RegisteredResource, isPart: Bool = false) -> JSONValue {
        var item: JSONValue = [
            "get": operation("get", resource),
            "put": operation("put", resource, parameters: Self.writeParameters, hasBody: true),
            "patch": operation(
                "patch", resource, parameters: Self.writeParameters + ["force"], bodyTypes: Self.patchTypes,
                hasBody: true),
        ]
        if !isPart {
            item["delete"] = operation(
                "delete", resource, parameters: ["dryRun", "gracePeriodSeconds", "propagationPolicy"])
        }
        return item
    }

    private func operation(
        _ action: String, _ resource: RegisteredResource, answers: String? = nil, parameters: [String] = [],
        bodyTypes: [String] = OpenAPIPaths.bodyTypes, hasBody: Bool = false
    ) -> JSONValue {
        let reference = definitions.reference(answers ?? definitions.name(of: resource))
        var listed = parameters.map(parameter)
        var operation: JSONValue = [
            "x-kubernetes-action": .string(action),
            "x-kubernetes-group-version-kind": OpenAPIDefinitions.kind(resource.definition),
        ]
        switch dialect {
        case .v2:
            operation["responses"] = ["200": ["description": "OK", "schema": reference]]
            operation["produces"] = ["application/json", "application/yaml"]
            operation["consumes"] = .array(bodyTypes.map(JSONValue.string))
            if hasBody {
                listed.append(["name": "body", "in": "body", "required": true, "schema": ["type": "object"]])
            }
        case .v3:
            operation["responses"] = [
                "200": ["description": "OK", "content": ["application/json": ["schema": reference]]]
            ]
            if hasBody {
                let content = bodyTypes.map { ($0, JSONValue.object(["schema": ["type": "object"]])) }
                operation["requestBody"] = [
                    "content": .object(Dictionary(content, uniquingKeysWith: { first, _ in first })),
                    "required": true,
                ]
            }
        }
        operation["parameters"] = .array(listed)
        return operation
    }

    private func parameter(_ name: String) -> JSONValue {
        let type = name == "force" ? "boolean" : name == "gracePeriodSeconds" ? "integer" : "string"
        switch dialect {
        case .v2: return ["name": .string(name), "in": "query", "type": .string(type), "uniqueItems": true]
        case .v3:
            return ["name": .string(name), "in": "query", "schema": ["type": .string(type), "uniqueItems": true]]
        }
    }
}
