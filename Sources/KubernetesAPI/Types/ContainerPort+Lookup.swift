extension Container {
    public func port(named name: String) -> ContainerPort? {
        ports?.first { $0.name == name }
    }

    /// The number a probe's or hook's port stands for: itself, or that of the container's port of this name.
    ///
    /// - Returns: nil when the container has no port of this name or the number is no port.
    public func portNumber(_ port: IntOrString) -> Int32? {
        let number: Int32? =
            switch port {
            case .int(let number): number
            case .string(let name): self.port(named: name)?.containerPort
            }
        return number.flatMap { (1...65535).contains($0) ? $0 : nil }
    }
}

extension PodSpec {
    /// The number a service's target port stands for in this pod.
    ///
    /// - Parameter protocol: `TCP`, `UDP` or `SCTP`; two ports may share a name when their protocols differ.
    public func portNumber(_ port: IntOrString, protocol: String = "TCP") -> Int32? {
        switch port {
        case .int(let number):
            return (1...65535).contains(number) ? number : nil
        case .string(let name):
            let ports = (containers + sidecars).flatMap { $0.ports ?? [] }
            return ports.first { $0.name == name && $0.protocol ?? "TCP" == `protocol` }?.containerPort
        }
    }
}
