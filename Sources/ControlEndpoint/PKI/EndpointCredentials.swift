public import Logging

/// Every credential the endpoint issues for itself and its own node.
public struct EndpointCredentials: Sendable {
    public let authority: CertificateAuthority
    public let serving: Credential
    public let admin: Credential
    /// The identity of the node agent that runs beside the endpoint.
    public let node: Credential

    /// Loads what is there and issues what is missing or due.
    /// - Parameters:
    ///   - listenAddress: a wildcard address is left out of the certificate's names.
    ///   - serviceAddress: the first address of the service network, where `kubernetes.default.svc` is reached.
    public static func load(
        directory: String, nodeName: String, listenAddress: String, serviceAddress: String?, logger: Logger
    ) throws(CertificateError) -> EndpointCredentials {
        let authority = try CertificateAuthority.loadOrCreate(directory: directory, logger: logger)
        var names = [
            "localhost", "127.0.0.1", "::1", nodeName, "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ]
        if listenAddress != "0.0.0.0", listenAddress != "::" { names.append(listenAddress) }
        if let serviceAddress { names.append(serviceAddress) }
        return EndpointCredentials(
            authority: authority,
            serving: try authority.credential("serving", .serving(names: names), logger: logger),
            admin: try authority.credential("admin", .admin, logger: logger),
            node: try authority.credential("node", .node(nodeName), logger: logger))
    }
}
