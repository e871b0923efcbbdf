internal import KubernetesAPI
internal import Logging
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
        let created = JSONValue.string(operations.now.rfc3339)
        var (nodes, pods): ([NodeMetrics], [PodMetrics]) = ([], [])
        if let metricsSource {
            do throws(UsageMetricsError) {
                if resource.id == Self.podMetrics {
                    pods = try await metricsSource.podMetrics()
                } else {
                    nodes = try await metricsSource.nodeMetrics()
                }
            } catch { throw .unavailable(error.description) }
        }
        let summaries = await remoteSummaries()
        if resource.id == Self.podMetrics {
            let labels = labels(ResourceID(group: "", plural: "pods"))
            pods += summaries.flatMap { name, summary in
                NodeSummary.pods(summary).compactMap { metrics in
                    // What is not in the API any more, or runs elsewhere by now, is nobody's.
                    let key = "\(metrics.metadata.namespace ?? "")/\(metrics.metadata.name ?? "")"
                    guard let known = labels[key], known.node == name else { return nil }
                    var metrics = metrics
                    metrics.metadata.labels = known.labels
                    return metrics
                }
            }
            return pods.compactMap { Self.object($0, resource, created) }
        }
        nodes += summaries.compactMap { name, summary in NodeSummary.node(summary, name: name) }
        let labels = labels(ResourceID(group: "", plural: "nodes"))
        return nodes.compactMap { metrics in
            var metrics = metrics
            metrics.metadata.labels = labels["/\(metrics.metadata.name ?? "")"]?.labels
            return Self.object(metrics, resource, created)
        }
    }

    /// By namespace and name.
    private func labels(_ kind: ResourceID) -> [String: (labels: [String: String], node: String)] {
        Dictionary(
            operations.store.list(kind).objects.map { object in
                let node = object.part(["spec", "nodeName"])?.stringValue ?? ""
                return ("\(object.key.namespace)/\(object.key.name)", (labels: object.labels, node: node))
            }, uniquingKeysWith: { first, _ in first })
    }

    private static let summaryTime = Duration.seconds(10)
    private static let summaryLimit = 16 << 20

    /// What the other nodes say of themselves; one that does not answer in time is left out, as with metrics-server.
    private func remoteSummaries() async -> [(name: String, summary: JSONValue)] {
        guard let backends else { return [] }
        let places = operations.store.list(ResourceID(group: "", plural: "nodes")).objects
            .filter { metricsSource == nil || $0.key.name != ownNode }.compactMap(place(of:))
        return await withTaskGroup(of: (String, JSONValue)?.self) { group in
            for place in places {
                group.addTask { [operations] in
                    do {
                        return (place.name, try await Self.summary(place, backends))
                    } catch {
                        operations.logger.debug(
                            "usage of a node not known", metadata: ["node": "\(place.name)", "reason": "\(error)"])
                        return nil
                    }
                }
            }
            var found: [(String, JSONValue)] = []
            for await result in group { if let result { found.append(result) } }
            return found
        }
    }

    private static func summary(_ place: NodePlace, _ backends: BackendClients) async throws -> JSONValue {
        try await withThrowingTaskGroup(of: JSONValue.self) { group in
            group.addTask {
                let request = BackendRequest(target: "/stats/summary?only_cpu_and_memory=true")
                let answer = try await backends.send(request, to: place)
                let body = try await answer.body.collect(upTo: summaryLimit)
                guard answer.status == 200 else {
                    throw APIStatusError.ofNode(place.name, status: answer.status, String(buffer: body))
                }
                return try JSONValue(parsing: body.readableBytesView)
            }
            group.addTask {
                try await ContinuousClock().sleep(for: summaryTime)
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try await group.next() ?? .null
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
