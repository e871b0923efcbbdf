internal import KubernetesAPI
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import Streaming

/// Passes exec, attach and port-forward on to the node that runs the pod, and the bytes of the session after it.
struct EndpointStreams: UpgradeResponder {
    private let api: EndpointAPI
    private let identities: ConnectionIdentities
    private let client: UpgradeClient
    private let ownNode: String
    private let audit: AuditLog?

    /// - Parameter ownNode: it runs beside the endpoint, where its API is on loopback.
    init(
        api: EndpointAPI, identities: ConnectionIdentities, credentials: EndpointCredentials, ownNode: String,
        audit: AuditLog?
    ) throws {
        self.audit = audit
        self.api = api
        self.identities = identities
        self.ownNode = ownNode
        let authority = try NIOSSLCertificate(bytes: Array(credentials.authority.certificatePEM.utf8), format: .pem)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.trustRoots = .certificates([authority])
        tls.certificateChain = [
            .certificate(try NIOSSLCertificate(bytes: Array(credentials.admin.certificatePEM.utf8), format: .pem))
        ]
        tls.privateKey = .privateKey(
            try NIOSSLPrivateKey(bytes: Array(credentials.admin.privateKeyPEM.utf8), format: .pem))
        client = UpgradeClient(tls: try NIOSSLContext(configuration: tls))
    }

    func respond(to request: UpgradeRequest, _ exchange: UpgradeExchange) async {
        var identity = await identities.identity(of: exchange.connection)
        if identity == nil, let token = EndpointResponder.bearerToken(request.headers["authorization"].first) {
            identity = api.tokens.identity(token, audiences: [TokenClaims.issuer])?.identity
        }
        let place: StreamTarget
        let source = exchange.connection.remoteAddress?.ipAddress ?? ""
        do throws(APIStatusError) { place = try api.streamTarget(request, identity) } catch {
            audit?.record(request, identity: identity, source: source, status: error.code)
            return await exchange.refuse(
                status: error.code, contentType: "application/json", body: error.body.serialized())
        }
        audit?.record(request, identity: identity, source: source, status: 101)
        let host = place.nodeName == ownNode ? "127.0.0.1" : place.address
        // The node's certificate names it; where it is reached may change.
        await client.tunnel(
            request, exchange, host: host, port: place.port, serverName: place.nodeName, target: place.target)
    }
}
