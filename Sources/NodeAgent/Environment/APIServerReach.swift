public import KubernetesAPI
public import PodNetwork

/// Where pods reach the API server of their own node.
///
/// The address of the service `kubernetes` needs somebody who forwards it. A node that runs its API server itself tells
/// its pods the real address instead, so that clients inside them work without.
public struct APIServerReach: Hashable, Sendable {
    /// For pods in the host's network.
    public let forHostNetwork: APIServerAddress
    /// For pods with a network of their own; nil when the server listens where they cannot reach it.
    public let forPods: APIServerAddress?

    /// - Parameters:
    ///   - listenAddress: where the server listens: an IP address, a wildcard or the loopback.
    ///   - podCIDRs: the node's.
    public init?(listenAddress: String, port: Int, podCIDRs: [CIDR]) {
        guard let address = IPAddress(listenAddress), let port = Int32(exactly: port) else { return nil }
        if address.isUnspecified {
            let loopback = address.family == .v4 ? "127.0.0.1" : "::1"
            // A wildcard of IPv6 takes IPv4, too; not the other way round.
            let gateway = podCIDRs.first { $0.family == .v4 || address.family == .v6 }?.gateway
            forHostNetwork = APIServerAddress(host: loopback, port: port)
            forPods = gateway.map { APIServerAddress(host: $0.description, port: port) }
        } else {
            forHostNetwork = APIServerAddress(host: address.description, port: port)
            forPods = address.isLoopback ? nil : forHostNetwork
        }
    }

    /// The services as a pod is to know them.
    public func services(_ services: [Service], forHostNetwork isHostNetwork: Bool) -> [Service] {
        guard let address = isHostNetwork ? forHostNetwork : forPods else { return services }
        return services.map { service in
            guard service.metadata.namespace == "default", service.metadata.name == "kubernetes" else { return service }
            var service = service
            service.spec.clusterIP = address.host
            service.spec.ports = service.spec.ports.map { ports in
                ports.map { port in
                    var port = port
                    port.port = address.port
                    return port
                }
            }
            return service
        }
    }
}

/// A host and port to connect to.
public struct APIServerAddress: Hashable, Sendable {
    public let host: String
    public let port: Int32
}
