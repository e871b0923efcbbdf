import KubernetesAPI

/// Where a probe or hook connects to.
struct ProbeAddress: Hashable, Sendable {
    let host: String
    /// In 1...65535.
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// - Parameter host: nil and empty mean the pod's address.
    init(host: String?, port: IntOrString, container: Container, podIP: String?) throws(ProbeAddressError) {
        if let host, !host.isEmpty {
            self.host = host
        } else if let podIP, !podIP.isEmpty {
            self.host = podIP
        } else {
            throw .noPodAddress
        }
        if let number = container.portNumber(port) {
            self.port = Int(number)
        } else if case .string(let name) = port, let number = Int(name), (1...65535).contains(number) {
            self.port = number
        } else {
            throw .noSuchPort(port.description, container: container.name)
        }
    }

    /// `host:port`, with an IPv6 address in brackets.
    var text: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Why a probe has nowhere to connect to.
enum ProbeAddressError: Error, Hashable, CustomStringConvertible {
    case noPodAddress
    case noSuchPort(String, container: String)

    var description: String {
        switch self {
        case .noPodAddress: "the pod has no IP address yet"
        case .noSuchPort(let port, let container):
            "port \(JSONValue.string(port)) is neither a number in 1-65535 nor the name of a port of container "
                + "\(JSONValue.string(container))"
        }
    }
}
