import ControlEndpoint
import KubernetesClient
import Logging
import NodeServer

/// The node's HTTPS API with the certificates and the judge it has in this process.
enum NodeAPIWiring {
    /// Nil when the port is 0.
    static func api(
        _ settings: NodeSettings, _ client: APIClient, _ endpoint: NodeProcess.RunningEndpoint?, addresses: [String],
        logger: Logger
    ) throws -> NodeServerConfiguration.API? {
        guard settings.nodePort != 0 else { return nil }
        if let credentials = endpoint?.server.credentials {
            return NodeServerConfiguration.API(
                listenAddress: settings.api.addressBesideEndpoint, port: settings.nodePort,
                certificatePEM: Array(credentials.serving.certificatePEM.utf8),
                keyPEM: Array(credentials.serving.privateKeyPEM.utf8),
                clientCAPEM: Array(credentials.authority.certificatePEM.utf8),
                reviewer: reviewer(settings, client, ClientAuthenticator(authority: credentials.authority)),
                roles: .alone)
        }
        let clientCA = try settings.api.clientCAFile.map { try NodeAPISettings.read($0, flag: "--client-ca-file") }
        let (certificate, key) = try serving(settings, addresses, logger)
        return NodeServerConfiguration.API(
            listenAddress: settings.api.addressAlone, port: settings.nodePort, certificatePEM: certificate,
            keyPEM: key, clientCAPEM: clientCA ?? [],
            reviewer: reviewer(settings, client, try clientCA.map { try authenticator($0, settings) }), roles: .none)
    }

    private static func reviewer(
        _ settings: NodeSettings, _ client: APIClient, _ authenticator: ClientAuthenticator?
    ) -> APIAccessReviewer {
        APIAccessReviewer(client: client, nodeName: settings.nodeName) { bytes in
            await authenticator?.identity(certificateDER: bytes).map {
                NodeCaller(name: $0.name, groups: $0.groups, expiry: $0.expiry)
            }
        }
    }

    private static func authenticator(_ pem: [UInt8], _ settings: NodeSettings) throws -> ClientAuthenticator {
        do { return try ClientAuthenticator(authoritiesPEM: String(decoding: pem, as: UTF8.self)) } catch {
            throw SettingError("--client-ca-file \(settings.api.clientCAFile ?? ""): \(error)")
        }
    }

    private static func serving(
        _ settings: NodeSettings, _ addresses: [String], _ logger: Logger
    ) throws -> (certificate: [UInt8], key: [UInt8]) {
        if let certificate = settings.api.certificateFile, let key = settings.api.keyFile {
            return (
                try NodeAPISettings.read(certificate, flag: "--tls-cert-file"),
                try NodeAPISettings.read(key, flag: "--tls-private-key-file")
            )
        }
        let made = try NodeServingCredential.loadOrCreate(
            directory: settings.root + "/pki-node",
            names: [settings.nodeName, "localhost", "127.0.0.1", "::1"] + addresses, logger: logger)
        return (Array(made.certificatePEM.utf8), Array(made.privateKeyPEM.utf8))
    }
}
