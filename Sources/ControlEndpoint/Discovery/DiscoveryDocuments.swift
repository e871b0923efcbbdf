internal import KubernetesAPI

/// The discovery documents, made from the registry.
enum DiscoveryDocuments {
    private static let statusVerbs = ["get", "patch", "update"]

    /// `APIResourceList`: the form every client understands.
    static func resourceList(_ resources: [RegisteredResource], _ group: String, _ version: String) -> JSONValue {
        var entries: [JSONValue] = []
        for resource in resources {
            entries.append(entry(resource))
            for subresource in subresources(of: resource) {
                var entry: JSONValue = [
                    "name": .string("\(resource.definition.plural)/\(subresource.name)"), "singularName": "",
                    "namespaced": .bool(resource.definition.namespaced), "kind": .string(subresource.kind),
                    "verbs": strings(subresource.verbs),
                ]
                if let group = subresource.group { entry["group"] = .string(group) }
                if let version = subresource.version { entry["version"] = .string(version) }
                entries.append(entry)
            }
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"), "resources": .array(entries),
        ]
    }

    private static func entry(_ resource: RegisteredResource) -> JSONValue {
        let definition = resource.definition
        var entry: JSONValue = [
            "name": .string(definition.plural), "singularName": .string(definition.singular),
            "namespaced": .bool(definition.namespaced), "kind": .string(definition.kind),
            "verbs": strings(resource.verbs),
        ]
        if !definition.shortNames.isEmpty { entry["shortNames"] = strings(definition.shortNames) }
        if !definition.categories.isEmpty { entry["categories"] = strings(definition.categories) }
        return entry
    }

    /// Those the resource declares, and `status` where it has one.
    static func subresources(of resource: RegisteredResource) -> [Subresource] {
        var all = resource.subresources
        if resource.strategy.hasStatus {
            all.append(Subresource(name: "status", kind: resource.definition.kind, verbs: statusVerbs))
        }
        return all.sorted { $0.name < $1.name }
    }

    /// `APIGroupDiscoveryList`: all groups in one answer.
    static func aggregated(_ registry: ResourceRegistry, groups: [String], form: String) -> JSONValue {
        let items = groups.map { group -> JSONValue in
            let versions = registry.groupVersions.filter { $0.group == group }.map { entry -> JSONValue in
                [
                    "version": .string(entry.version), "freshness": "Current",
                    "resources": .array(
                        registry.resources(group: group, version: entry.version).map(aggregatedEntry)),
                ]
            }
            return ["metadata": group.isEmpty ? [:] : ["name": .string(group)], "versions": .array(versions)]
        }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(form)"), "metadata": [:],
            "items": .array(items),
        ]
    }

    private static func aggregatedEntry(_ resource: RegisteredResource) -> JSONValue {
        let definition = resource.definition
        var entry: JSONValue = [
            "resource": .string(definition.plural), "scope": definition.namespaced ? "Namespaced" : "Cluster",
            "responseKind": kind(definition.group, definition.version, definition.kind),
            "singularResource": .string(definition.singular), "verbs": strings(resource.verbs),
        ]
        if !definition.shortNames.isEmpty { entry["shortNames"] = strings(definition.shortNames) }
        if !definition.categories.isEmpty { entry["categories"] = strings(definition.categories) }
        let subresources = subresources(of: resource)
        if !subresources.isEmpty {
            entry["subresources"] = .array(
                subresources.map {
                    [
                        "subresource": .string($0.name), "verbs": strings($0.verbs),
                        "responseKind": kind(
                            $0.group ?? definition.group, $0.version ?? definition.version, $0.kind),
                    ]
                })
        }
        return entry
    }

    private static func kind(_ group: String, _ version: String, _ kind: String) -> JSONValue {
        ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    }

    private static func strings(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
}
