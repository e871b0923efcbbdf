import ControlEndpoint
import KubernetesClient
import Logging
import NodeServer

/// The node's HTTPS API with the certificates and the judge it has in this process.
enum NodeAPIWiring {
    /// Nil when the port is 0.
    static func api(
        _ settings: NodeSettings, _ client: APIClient, _ endpoint: NodeProcess.RunningEndpoint?, addresses: [String],
        logger: Logger, in group: inout ThrowingTaskGroup<Void, any Error>
    ) throws -> NodeServerConfiguration.API? {
        guard settings.nodePort != 0 else { return nil }
        if let credentials = endpoint?.server.credentials {
            return NodeServerConfiguration.API(
                listenAddress: settings.api.addressBesideEndpoint, port: settings.nodePort,
                certificate: try certificate(credentials.serving),
                clientCAPEM: Array(credentials.authority.certificatePEM.utf8),
                reviewer: reviewer(
                    settings, client, ClientAuthenticator(authority: credentials.authority).identity(certificateDER:)),
                roles: .alone)
        }
        let clientCA = try settings.api.clientCAFile.map { try NodeAPISettings.read($0, flag: "--client-ca-file") }
        let shown = try serving(settings, addresses, logger)
        let given = try clientCA.map { try authenticator($0, settings) }
        let authorities = ClientAuthorities()
        let certificates = JoinedNodeCertificates(
            client: client, nodeName: settings.nodeName, addresses: addresses, directory: settings.root + "/pki-node",
            authorities: authorities,
            trustedPEM: String(decoding: client.configuration.certificateAuthorityPEM ?? [], as: UTF8.self),
            asksForServing: settings.api.asksForServing,
            replace: { credential in
                do {
                    try shown.replace(
                        certificatePEM: Array(credential.certificatePEM.utf8),
                        keyPEM: Array(credential.privateKeyPEM.utf8))
                } catch { logger.error("node certificate cannot be used", metadata: ["reason": "\(error)"]) }
            }, logger: logger)
        group.addTask { await certificates.run() }
        let reviewer = reviewer(settings, client) { bytes in
            if let given { return await given.identity(certificateDER: bytes) }
            return await authorities.identity(certificateDER: bytes)
        }
        return NodeServerConfiguration.API(
            listenAddress: settings.api.addressAlone, port: settings.nodePort, certificate: shown,
            clientCAPEM: clientCA ?? [], reviewer: reviewer, roles: .none)
    }

    private static func certificate(_ credential: Credential) throws -> ServingCertificate {
        try ServingCertificate(
            certificatePEM: Array(credential.certificatePEM.utf8), keyPEM: Array(credential.privateKeyPEM.utf8))
    }

    private static func reviewer(
        _ settings: NodeSettings, _ client: APIClient, _ identify: @escaping @Sendable ([UInt8]) async -> Identity?
    ) -> APIAccessReviewer {
        APIAccessReviewer(client: client, nodeName: settings.nodeName) { bytes in
            await identify(bytes).map {
                NodeCaller(name: $0.name, groups: $0.groups, expiry: $0.expiry)
            }
        }
    }

    private static func authenticator(_ pem: [UInt8], _ settings: NodeSettings) throws -> ClientAuthenticator {
        do { return try ClientAuthenticator(authoritiesPEM: String(decoding: pem, as: UTF8.self)) } catch {
            throw SettingError("--client-ca-file \(settings.api.clientCAFile ?? ""): \(error)")
        }
    }

    /// The administrator's, or one that the node makes itself.
    private static func serving(
        _ settings: NodeSettings, _ addresses: [String], _ logger: Logger
    ) throws -> ServingCertificate {
        if let certificate = settings.api.certificateFile, let key = settings.api.keyFile {
            return try ServingCertificate(
                certificatePEM: try NodeAPISettings.read(certificate, flag: "--tls-cert-file"),
                keyPEM: try NodeAPISettings.read(key, flag: "--tls-private-key-file"))
        }
        return try certificate(
            try NodeServingCredential.loadOrCreate(
                directory: settings.root + "/pki-node",
                names: [settings.nodeName, "localhost", "127.0.0.1", "::1"] + addresses, logger: logger))
    }
}
