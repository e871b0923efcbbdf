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
    private let audit: AuditLog?

    init(
        api: EndpointAPI, identities: ConnectionIdentities, credentials: EndpointCredentials, audit: AuditLog?
    ) throws {
        self.audit = audit
        self.api = api
        self.identities = identities
        client = UpgradeClient(tls: try NIOSSLContext(configuration: BackendClients.nodeTLS(credentials)))
    }

    func respond(to request: UpgradeRequest, _ exchange: UpgradeExchange) async {
        var identity = await identities.identity(of: exchange.connection)
        if identity == nil, let token = EndpointResponder.bearerToken(request.headers["authorization"].first) {
            identity = api.tokens.identity(token, audiences: [TokenClaims.issuer])?.identity
        }
        let target: StreamTarget
        let source = exchange.connection.remoteAddress?.ipAddress ?? ""
        do throws(APIStatusError) { target = try api.streamTarget(request, identity) } catch {
            audit?.record(request, identity: identity, source: source, status: error.code)
            return await exchange.refuse(
                status: error.code, contentType: "application/json", body: error.body.serialized())
        }
        audit?.record(request, identity: identity, source: source, status: 101)
        // The node's certificate names it; where it is reached may change.
        await client.tunnel(
            request, exchange, host: target.place.address, port: target.place.port, serverName: target.place.name,
            target: target.target)
    }
}
