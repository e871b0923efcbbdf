public import KubernetesAPI

/// Where the endpoint gets what its nodes and pods use: the node agent in this process.
public protocol UsageMetricsSource: Sendable {
    /// One for each node; labels are filled in by the endpoint.
    func nodeMetrics() async throws(UsageMetricsError) -> [NodeMetrics]

    /// One for each running pod, with the pod's labels.
    func podMetrics() async throws(UsageMetricsError) -> [PodMetrics]
}

/// Why there are no figures, in words for the person who asked.
public struct UsageMetricsError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
