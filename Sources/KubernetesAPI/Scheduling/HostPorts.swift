/// The ports of a node that pods take for themselves.
public struct HostPorts: Sendable {
    private struct Port: Hashable {
        var number: Int32
        var transport: String
    }

    /// The addresses each port is taken on.
    private var taken: [Port: Set<String>] = [:]

    public init() {}

    public mutating func add(_ pod: PodSpec) {
        for (port, address) in Self.ports(of: pod) { taken[port, default: []].insert(address) }
    }

    /// Whether a port the pod wants is taken, on the same address or where one of the two wants all addresses.
    public func conflicts(with pod: PodSpec) -> Bool {
        Self.ports(of: pod).contains { port, address in
            guard let addresses = taken[port] else { return false }
            return Self.isWildcard(address) || addresses.contains { $0 == address || Self.isWildcard($0) }
        }
    }

    private static func isWildcard(_ address: String) -> Bool {
        address.isEmpty || address == "0.0.0.0" || address == "::"
    }

    private static func ports(of pod: PodSpec) -> [(Port, String)] {
        let sidecars = (pod.initContainers ?? []).filter { $0.restartPolicy == "Always" }
        return (pod.containers + sidecars).flatMap { container in
            (container.ports ?? []).compactMap { port in
                let number = port.hostPort ?? (pod.hostNetwork == true ? port.containerPort : 0)
                guard number > 0 else { return nil }
                return (Port(number: number, transport: port.protocol ?? "TCP"), port.hostIP ?? "")
            }
        }
    }
}
