internal import KubernetesAPI

/// What a node's `/stats/summary` says, as `metrics.k8s.io` has it. Pure.
enum NodeSummary {
    /// As with kubelet, which says nothing of the time that its rates are an average of.
    private static let window = "10s"

    /// Nil when the node has not measured itself yet.
    static func node(_ summary: JSONValue, name: String) -> NodeMetrics? {
        guard let node = summary["node"], let usage = usage(node) else { return nil }
        return NodeMetrics(metadata: ObjectMeta(name: name), timestamp: time(node), window: window, usage: usage)
    }

    /// Those whose containers have all been measured.
    static func pods(_ summary: JSONValue) -> [PodMetrics] {
        summary.list("pods").compactMap { pod in
            let (namespace, name) = (pod.string("podRef", "namespace"), pod.string("podRef", "name"))
            guard !namespace.isEmpty, !name.isEmpty else { return nil }
            let containers = pod.list("containers").compactMap { container in
                usage(container).map { ContainerMetrics(name: container.string("name"), usage: $0) }
            }
            guard !containers.isEmpty, containers.count == pod.list("containers").count else { return nil }
            return PodMetrics(
                metadata: ObjectMeta(name: name, namespace: namespace),
                timestamp: pod.list("containers").compactMap(time).min(), window: window, containers: containers)
        }
    }

    private static func usage(_ part: JSONValue) -> [String: Quantity]? {
        guard let cores = part[path: "cpu", "usageNanoCores"]?.intValue, cores >= 0,
            let bytes = part[path: "memory", "workingSetBytes"]?.intValue, bytes >= 0
        else { return nil }
        guard let cpu = try? Quantity(parsing: "\(cores)n") else { return nil }
        return ["cpu": cpu, "memory": .bytes(bytes)]
    }

    private static func time(_ part: JSONValue) -> Timestamp? { Timestamp(rfc3339: part.string("cpu", "time")) }
}
