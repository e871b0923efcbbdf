/// What the pods on a node have taken of it.
public struct NodeLoad: Sendable {
    public private(set) var requests = ResourceAmounts()
    public private(set) var ports = HostPorts()
    public private(set) var podCount = 0

    public init() {}

    public mutating func add(_ pod: PodSpec) {
        requests = requests + ResourceAmounts(requestsOf: pod)
        ports.add(pod)
        podCount += 1
    }
}
