internal import KubernetesAPI

/// Our types as OpenAPI definitions, in the dialect of version 2 or 3.
struct OpenAPIDefinitions: Sendable {
    enum Dialect: Sendable {
        case v2, v3

        var referencePrefix: String {
            switch self {
            case .v2: "#/definitions/"
            case .v3: "#/components/schemas/"
            }
        }
    }

    private let dialect: Dialect
    private let resources: [RegisteredResource]
    private var kinds: [String: ResourceDefinition] = [:]

    init(_ resources: [RegisteredResource], dialect: Dialect) {
        self.dialect = dialect
        self.resources = resources
        for resource in resources {
            if let name = resource.schema.definition?.name { kinds[name] = resource.definition }
        }
    }

    /// Every definition the resources need, by its full name.
    func all() -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        for definition in Schema.definitions(for: resources.map(\.type)) {
            found[fullName(definition.name)] = schema(definition)
        }
        for resource in resources {
            let definition = resource.definition
            found[listName(resource)] = [
                "description": .string("A list of \(definition.kind) objects."), "type": "object",
                "required": ["items"],
                "properties": [
                    "apiVersion": ["type": "string"], "kind": ["type": "string"],
                    "metadata": ["type": "object"],
                    "items": ["type": "array", "items": reference(name(of: resource))],
                ],
                "x-kubernetes-group-version-kind": .array([Self.kind(definition, suffix: "List")]),
            ]
        }
        return found
    }

    /// `io.k8s.api.core.v1.Pod`; what the kinds share counts as core, object metadata as machinery, as in Kubernetes.
    func fullName(_ typeName: String) -> String {
        let machinery: Set<String> = [
            "ObjectMeta", "OwnerReference", "ManagedFieldsEntry", "LabelSelector", "ListMeta",
        ]
        if machinery.contains(typeName) { return "io.k8s.apimachinery.pkg.apis.meta.v1.\(typeName)" }
        guard let definition = kinds[typeName], !definition.group.isEmpty else {
            return "io.k8s.api.core.v1.\(typeName)"
        }
        let group = definition.group.split(separator: ".").first ?? ""
        return "io.k8s.api.\(group).\(definition.version).\(definition.kind)"
    }

    func name(of resource: RegisteredResource) -> String {
        fullName(resource.schema.definition?.name ?? resource.definition.kind)
    }

    func listName(_ resource: RegisteredResource) -> String { name(of: resource) + "List" }

    func reference(_ fullName: String) -> JSONValue { ["$ref": .string(dialect.referencePrefix + fullName)] }

    static func kind(_ definition: ResourceDefinition, suffix: String = "") -> JSONValue {
        [
            "group": .string(definition.group), "version": .string(definition.version),
            "kind": .string(definition.kind + suffix),
        ]
    }

    private func schema(_ definition: SchemaDefinition) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for property in definition.properties { properties[property.name] = schema(property, in: definition) }
        var schema: JSONValue = ["type": "object", "properties": .object(properties)]
        let required = definition.properties.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        if let kind = kinds[definition.name] {
            schema["x-kubernetes-group-version-kind"] = .array([Self.kind(kind)])
        }
        return schema
    }

    private func schema(_ property: SchemaProperty, in definition: SchemaDefinition) -> JSONValue {
        var schema = schema(property.type)
        guard case .array(let element) = property.type else { return schema }
        if case .object(let reference) = element, let key = reference.definition.patchMergeKey {
            schema["x-kubernetes-patch-merge-key"] = .string(key)
            schema["x-kubernetes-patch-strategy"] = "merge"
        } else if definition.mergedPrimitiveLists.contains(property.name) {
            schema["x-kubernetes-patch-strategy"] = "merge"
        }
        return schema
    }

    private func schema(_ type: SchemaType) -> JSONValue {
        switch type {
        case .leaf(let leaf): return schema(leaf)
        case .array(let element): return ["type": "array", "items": schema(element)]
        case .map(let element): return ["type": "object", "additionalProperties": schema(element)]
        case .object(let reference): return self.reference(fullName(reference.definition.name))
        }
    }

    private func schema(_ leaf: SchemaLeafType) -> JSONValue {
        switch (leaf, dialect) {
        case (.string, _): ["type": "string"]
        case (.integer, _): ["type": "integer", "format": "int64"]
        case (.boolean, _): ["type": "boolean"]
        case (.number, _): ["type": "number", "format": "double"]
        case (.intOrString, .v2): ["type": "string", "format": "int-or-string"]
        case (.intOrString, .v3): ["oneOf": [["type": "integer"], ["type": "string"]], "format": "int-or-string"]
        case (.quantity, .v2): ["type": "string"]
        case (.quantity, .v3): ["oneOf": [["type": "string"], ["type": "number"]]]
        case (.dateTime, _), (.microTime, _): ["type": "string", "format": "date-time"]
        case (.any, _): ["type": "object"]
        }
    }
}
