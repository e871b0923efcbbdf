internal import KubernetesAPI

/// `/metrics` of the endpoint in Prometheus' text format.
struct EndpointExposition {
    private(set) var text = ""

    mutating func family(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    mutating func sample(_ name: String, _ labels: String, _ value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    mutating func requests(_ requests: [(key: RequestMetrics.Key, figures: RequestMetrics.Figures)]) {
        family("apiserver_request_total", "counter", "Requests answered, by what they were about and their status.")
        for (key, figures) in requests {
            for (code, count) in figures.counts.sorted(by: { $0.key < $1.key }) {
                sample("apiserver_request_total", "code=\"\(code)\",\(key.labels)", String(count))
            }
        }
        let name = "apiserver_request_duration_seconds"
        family(name, "histogram", "Seconds until a request was answered; of streams until they began.")
        for (key, figures) in requests where !figures.counts.isEmpty {
            var total: UInt64 = 0
            for (index, bucket) in figures.buckets.enumerated() {
                total += bucket
                let bounds = RequestMetrics.bounds
                let bound = index < bounds.count ? Self.seconds(UInt64(bounds[index]) * 1_000_000) : "+Inf"
                sample("\(name)_bucket", "\(key.labels),le=\"\(bound)\"", String(total))
            }
            sample("\(name)_sum", key.labels, Self.seconds(figures.nanoseconds))
            sample("\(name)_count", key.labels, String(total))
        }
        family("apiserver_longrunning_requests", "gauge", "Watches and other streams that are open.")
        for (key, figures) in requests where figures.running > 0 {
            sample("apiserver_longrunning_requests", key.labels, String(figures.running))
        }
    }

    mutating func store(_ store: ResourceStore, kinds: [RegisteredResource], fileBytes: Int64) {
        let counts = store.objectCounts
        family("apiserver_resource_objects", "gauge", "Objects that are stored, by kind.")
        let ids = kinds.filter { !$0.isReview && !$0.isComputed }.map(\.id)
        for id in ids.sorted(by: { ($0.group, $0.plural) < ($1.group, $1.plural) }) {
            sample(
                "apiserver_resource_objects", "group=\"\(id.group)\",resource=\"\(id.plural)\"",
                String(counts[id] ?? 0))
        }
        family("apiserver_storage_size_bytes", "gauge", "Bytes of the database file.")
        sample("apiserver_storage_size_bytes", "storage_cluster_id=\"state.db\"", String(fileBytes))
        family("apiserver_registered_watchers", "gauge", "Watches that are open.")
        sample("apiserver_registered_watchers", "", String(store.watcherCount))
        family("apiserver_watch_events_total", "counter", "Changes that were stored and shown to watches.")
        sample("apiserver_watch_events_total", "", String(store.publishedEvents))
        family("swiftlet_store_transactions_total", "counter", "Transactions of the database.")
        sample("swiftlet_store_transactions_total", "", String(store.committedBatches))
    }

    /// Exact, and without the zeros that say nothing.
    private static func seconds(_ nanoseconds: UInt64) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if rest == 0 { return String(whole) }
        var digits = String(rest)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}

extension EndpointAPI {
    /// What a request counts as; requests for what there is not count as one.
    func metricsKey(_ request: APIRequest) -> RequestMetrics.Key {
        let isWatch = request.query.flag("watch")
        guard let info = (try? RequestInfo(method: request.method, path: request.path, isWatch: isWatch)) ?? nil,
            let resource = operations.registry.resource(for: info)
        else { return RequestMetrics.Key(verb: Self.methods.contains(request.method) ? request.method : "OTHER") }
        let subresource = info.subresource.flatMap { name in
            DiscoveryDocuments.subresources(of: resource).contains { $0.name == name } ? name : nil
        }
        let scope = info.name != nil ? "resource" : info.namespace != nil ? "namespace" : "cluster"
        return RequestMetrics.Key(
            verb: Self.verbs[info.verb] ?? "GET", group: info.group, version: info.version, resource: info.resource,
            subresource: subresource ?? "", scope: scope)
    }

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    /// As Kubernetes names them in its metrics.
    private static let verbs: [RequestInfo.Verb: String] = [
        .get: "GET", .list: "LIST", .watch: "WATCH", .create: "POST", .update: "PUT", .patch: "PATCH",
        .delete: "DELETE", .deletecollection: "DELETECOLLECTION",
    ]

    /// Nil for another path.
    func exposition(_ request: APIRequest) async -> APIResponse? {
        guard request.path == "/metrics" else { return nil }
        var exposition = EndpointExposition()
        exposition.requests(metrics.snapshot())
        exposition.store(
            operations.store, kinds: operations.registry.storedResources, fileBytes: await operations.store.fileBytes())
        var answer = APIResponse.text(exposition.text)
        answer.contentType = "text/plain; version=0.0.4; charset=utf-8"
        return answer
    }
}
