public import KubernetesAPI

/// How this node shows itself to the control endpoint.
public struct NodeConfiguration: Sendable, Hashable {
    public var name: String
    /// Besides the ones every node has.
    public var labels: [String: String]
    /// Set when the node is created, not afterwards.
    public var taints: [Taint]
    /// Where pod addresses come from, one range per family; empty leaves it to the endpoint.
    public var podCIDRs: [String]
    public var maxPods: Int64
    /// Set aside for what is no pod.
    public var reservation: NodeReservation
    /// Memory below which pods are evicted, in bytes: no pod can count on it.
    public var evictionMemoryBytes: Int64
    /// Disk space below which pods are evicted, in percent.
    public var evictionNodefsPercent: Int64
    public var kubeletPort: Int32
    /// IP addresses, the preferred one first.
    public var addresses: [String]
    /// Of swiftlet, as in `0.1.0`.
    public var version: String
    /// Pods can have user namespaces.
    public var hasUserNamespaces: Bool

    public init(
        name: String, labels: [String: String] = [:], taints: [Taint] = [], podCIDRs: [String] = [],
        maxPods: Int64 = 110, reservation: NodeReservation = NodeReservation(),
        evictionMemoryBytes: Int64 = 100 << 20, evictionNodefsPercent: Int64 = 10, kubeletPort: Int32 = 10250,
        addresses: [String] = [], version: String, hasUserNamespaces: Bool = false
    ) {
        self.name = name
        self.labels = labels
        self.taints = taints
        self.podCIDRs = podCIDRs
        self.maxPods = maxPods
        self.reservation = reservation
        self.evictionMemoryBytes = evictionMemoryBytes
        self.evictionNodefsPercent = evictionNodefsPercent
        self.kubeletPort = kubeletPort
        self.addresses = addresses
        self.version = version
        self.hasUserNamespaces = hasUserNamespaces
    }
}
