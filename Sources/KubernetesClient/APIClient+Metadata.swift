public import KubernetesAPI

/// Objects of kinds that are known only at run time, by their metadata.
extension APIClient {
    static let metadataListType =
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
    static let metadataType = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

    /// Lists a whole collection at a path; see ``list(_:namespace:labelSelector:fieldSelector:resourceVersion:)``.
    public func list<T: KubernetesResource>(
        _ type: T.Type, at path: String, resourceVersion: String
    ) async throws(APIError) -> ResourceList<T> {
        try await list(type, path: path, query: [], accept: Self.metadataListType, resourceVersion: resourceVersion)
    }

    /// Watches the collection at a path; see
    /// ``watch(_:namespace:fieldSelector:labelSelector:resourceVersion:timeoutSeconds:bookmarks:)``.
    public func watch<T: KubernetesResource>(
        _ type: T.Type, at path: String, resourceVersion: String, timeoutSeconds: Int
    ) -> AsyncThrowingStream<ResourceWatchEvent<T>, any Error> {
        var request = APIRequest(.get, path, accept: Self.metadataType)
        request.query = [
            .init("watch", "true"), .init("resourceVersion", resourceVersion),
            .init("timeoutSeconds", String(timeoutSeconds)), .init("allowWatchBookmarks", "true"),
        ]
        let reader = WatchReader<T>(client: self, request: request)
        return AsyncThrowingStream { try await reader.next() }
    }

    /// Sends a request for the metadata of one object.
    public func record<T: KubernetesResource>(_ request: APIRequest) async throws(APIError) -> T {
        var request = request
        request.accept = Self.metadataType
        let response = try await send(request)
        let value = try ResourceCoding.value(response.body, request: request.label)
        return try ResourceCoding.decode(T.self, from: value, request: request.label)
    }

    /// Every kind the server can list, watch and delete, by its preferred version.
    public func collectableKinds() async throws(APIError) -> [ResourceDefinition] {
        let groups = try await document("/apis")["groups"]?.arrayValue ?? []
        var versions = ["v1"]
        for group in groups.prefix(Self.groupLimit) {
            if let version = group[path: "preferredVersion", "groupVersion"]?.stringValue { versions.append(version) }
        }
        var kinds: [ResourceDefinition] = []
        for version in versions {
            let list = try await document(version == "v1" ? "/api/v1" : "/apis/\(version)")
            // Events have no owners and nobody has events: they only come and go, under two groups.
            kinds += (list["resources"]?.arrayValue ?? []).compactMap { Self.kind($0, version) }
                .filter { $0.plural != "events" }
        }
        return kinds
    }

    /// Groups asked for: a server with more is none for a single node.
    private static let groupLimit = 256

    private func document(_ path: String) async throws(APIError) -> JSONValue {
        let request = APIRequest(.get, path)
        return try ResourceCoding.value(try await send(request).body, request: request.label)
    }

    private static func kind(_ entry: JSONValue, _ groupVersion: String) -> ResourceDefinition? {
        let verbs = Set((entry["verbs"]?.arrayValue ?? []).compactMap(\.stringValue))
        guard verbs.isSuperset(of: ["list", "watch", "delete", "patch"]), let plural = entry["name"]?.stringValue,
            !plural.contains("/"), let kind = entry["kind"]?.stringValue
        else { return nil }
        let parts = groupVersion.split(separator: "/").map(String.init)
        return ResourceDefinition(
            group: parts.count > 1 ? parts[0] : "", version: parts.last ?? "v1", kind: kind, plural: plural,
            namespaced: entry["namespaced"]?.boolValue ?? true)
    }
}
