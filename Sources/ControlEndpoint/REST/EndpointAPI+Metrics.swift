internal import KubernetesAPI
internal import NIOCore

/// `metrics.k8s.io`: read-only, made at each request from what the node reads then.
extension EndpointAPI {
    func readMetrics(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> APIResponse {
        switch info.verb {
        case .list:
            let (form, filter) = (try representation(request), try filter(request, resource))
            let snapshot = ResourceStore.Snapshot(
                objects: try await metrics(resource).sorted { $0.key < $1.key },
                resourceVersion: operations.store.resourceVersion)
            let page = ListPage(snapshot, namespace: info.namespace, filter: filter, after: nil, limit: 0)
            return try answer(page, filter, form, resource, request)
        case .get:
            let name = try name(info)
            let found = try await metrics(resource).first {
                $0.key.name == name && $0.key.namespace == info.namespace ?? ""
            }
            guard let found else { throw .notFound(resource.id, name) }
            return try answer(WriteResult(found), request, resource)
        case .watch, .create, .update, .patch, .delete, .deletecollection: throw .methodNotAllowed
        }
    }

    private func metrics(_ resource: RegisteredResource) async throws(APIStatusError) -> [StoredObject] {
        guard let source = metricsSource else { throw .unavailable("usage is not known: no node is attached") }
        let created = JSONValue.string(operations.now.rfc3339)
        do throws(UsageMetricsError) {
            if resource.id == Self.podMetrics {
                return try await source.podMetrics().compactMap { Self.object($0, resource, created) }
            }
            let nodes = operations.store.list(ResourceID(group: "", plural: "nodes")).objects
            let labels = Dictionary(nodes.map { ($0.key.name, $0.labels) }) { first, _ in first }
            return try await source.nodeMetrics().compactMap { metrics in
                var metrics = metrics
                metrics.metadata.labels = labels[metrics.metadata.name ?? ""]
                return Self.object(metrics, resource, created)
            }
        } catch {
            throw .unavailable(error.description)
        }
    }

    private static let podMetrics = ResourceID(
        group: PodMetrics.definition.group, plural: PodMetrics.definition.plural)

    /// Not stored anywhere: it carries no version and no UID.
    private static func object(
        _ metrics: some KubernetesResource, _ resource: RegisteredResource, _ created: JSONValue
    ) -> StoredObject? {
        guard var value = try? JSONValueEncoder().encode(metrics), let name = metrics.metadata.name else { return nil }
        value.set(created, at: "metadata", "creationTimestamp")
        return StoredObject(
            key: resource.key(namespace: metrics.metadata.namespace, name: name), uid: "", resourceVersion: 0,
            json: value.serialized(sortedKeys: true))
    }
}
