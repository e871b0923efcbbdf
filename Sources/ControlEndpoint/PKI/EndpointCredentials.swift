public import Logging

/// Every credential the endpoint issues for itself and its own node.
public struct EndpointCredentials: Sendable {
    public let authority: CertificateAuthority
    public let serving: Credential
    public let admin: Credential
    /// By which the endpoint is known.
    let names: [String]
    /// The identity of the node agent that runs beside the endpoint.
    public let node: Credential

    /// Loads what is there and issues what is missing or due.
    /// - Parameters:
    ///   - addresses: where it is reached besides the loopback; wildcard addresses are left out.
    public static func load(
        directory: String, nodeName: String, addresses: [String], logger: Logger
    ) throws(CertificateError) -> EndpointCredentials {
        let authority = try CertificateAuthority.loadOrCreate(directory: directory, logger: logger)
        var names = [
            "localhost", "127.0.0.1", "::1", nodeName, "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ]
        names += addresses.filter { $0 != "0.0.0.0" && $0 != "::" }
        return EndpointCredentials(
            authority: authority,
            serving: try authority.credential("serving", .serving(names: names), logger: logger),
            admin: try authority.credential("admin", .admin, logger: logger), names: names,
            node: try authority.credential("node", .node(nodeName), logger: logger))
    }
}
