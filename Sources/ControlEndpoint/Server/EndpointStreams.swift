internal import KubernetesAPI
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import Streaming

/// Passes exec, attach and port-forward on to the node that runs the pod, requests of the `proxy` subresources to what serves there, and
/// the bytes of the session after them.
struct EndpointStreams: UpgradeResponder {
    /// Whoever proxies must not take the connections of all others.
    private static let proxiedShare = 4

    private let api: EndpointAPI
    private let identities: ConnectionIdentities
    private let nodes: UpgradeClient
    private let pods: UpgradeClient
    private let podsWithTLS: UpgradeClient
    /// Sessions through `proxy` subresources.
    private let proxied: ConnectionBudget
    private let audit: AuditLog?

    /// - Parameter maximumConnections: of the endpoint, those for upgrades among them.
    init(
        api: EndpointAPI, identities: ConnectionIdentities, credentials: EndpointCredentials, audit: AuditLog?,
        maximumConnections: Int
    ) throws {
        self.audit = audit
        self.api = api
        self.identities = identities
        nodes = UpgradeClient(tls: try NIOSSLContext(configuration: BackendClients.nodeTLS(credentials)))
        pods = UpgradeClient(tls: nil)
        podsWithTLS = UpgradeClient(tls: try NIOSSLContext(configuration: BackendClients.podTLS))
        proxied = ConnectionBudget(limit: max(1, maximumConnections / Self.proxiedShare))
    }

    func respond(to request: UpgradeRequest, _ exchange: UpgradeExchange) async {
        let token = BearerProtocol.token(in: request.headers)
        var request = request
        BearerProtocol.remove(from: &request.headers)
        var identity = await identities.identity(of: exchange.connection)
        if identity == nil,
            let token = EndpointResponder.bearerToken(request.headers["authorization"].first) ?? token
        {
            identity = api.tokens.identity(token, audiences: [TokenClaims.issuer])?.identity
        }
        let source = exchange.connection.remoteAddress?.ipAddress ?? ""
        do throws(APIStatusError) {
            if let target = try api.proxiedUpgrade(request, identity, source: source) {
                guard proxied.take() else {
                    throw .tooManyRequests("a quarter of the endpoint's connections is proxied sessions: close some")
                }
                defer { proxied.giveBack() }
                audit?.record(request, identity: identity, source: source, status: 101)
                return await pass(request.method, target, exchange)
            }
            let target = try api.streamTarget(request, identity)
            audit?.record(request, identity: identity, source: source, status: 101)
            // The node's certificate names it; where it is reached may change.
            await nodes.tunnel(
                request, exchange, host: target.place.address, port: target.place.port, serverName: target.place.name,
                target: target.target)
        } catch {
            audit?.record(request, identity: identity, source: source, status: error.code)
            await exchange.refuse(status: error.code, contentType: "application/json", body: error.body.serialized())
        }
    }

    private func pass(_ method: String, _ proxied: ProxiedRequest, _ exchange: UpgradeExchange) async {
        let request = UpgradeRequest(method: method, target: proxied.target, headers: proxied.headers)
        let answered: @Sendable (HTTPHeaders) -> HTTPHeaders = { headers in
            var passed = ProxyHeaders.answered(headers, prefix: proxied.prefix)
            // Of the answer to an upgrade these are for the client, too.
            for name in ["Connection", "Upgrade", "Content-Length", "Transfer-Encoding"] {
                for value in headers[name] { passed.add(name: name, value: value) }
            }
            return passed
        }
        switch proxied.destination {
        case .node(let place):
            await nodes.relay(
                request, exchange, host: place.address, port: place.port, serverName: place.name, answered: answered)
        case .pod(let backend, let scheme):
            await (scheme == "https" ? podsWithTLS : pods).relay(
                request, exchange, host: backend.address, port: backend.port, serverName: nil, answered: answered)
        }
    }
}
