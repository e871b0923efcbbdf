internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import Synchronization

/// Where the API of a node is.
struct NodePlace: Hashable, Sendable {
    var name: String
    var address: String
    var port: Int
}

/// A request that the endpoint passes on.
struct BackendRequest: Sendable {
    var method = "GET"
    /// Path and query.
    var target: String
    var headers = HTTPHeaders()
    var body = ByteBuffer()
}

/// The answer to it, whose body is still to be read. Dropping it ends the request.
struct BackendAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: any AsyncSequence<ByteBuffer, any Error> & Sendable
}

/// The endpoint as a client: of its nodes' APIs, and of what pods serve. Redirects are passed on, never followed.
final class BackendClients: Sendable {
    private struct State {
        /// By the node's name: where it was last, and the client of that place.
        var nodes: [String: (address: String, client: HTTPClient)] = [:]
        var pods: HTTPClient?
        var isShutDown = false
    }

    private static let connectTime = TimeAmount.seconds(10)
    /// Until the head of an answer: what it says after that may take as long as it wants.
    private static let answerTime = TimeAmount.seconds(60)

    private let state = Mutex(State())
    private let nodeTLS: TLSConfiguration

    /// - Parameter credentials: with the authority that nodes' certificates must be from, and who the endpoint is to nodes.
    init(credentials: EndpointCredentials) throws {
        nodeTLS = try Self.nodeTLS(credentials)
    }

    /// How to be sure of a node, and to prove to it who asks.
    static func nodeTLS(_ credentials: EndpointCredentials) throws -> TLSConfiguration {
        func certificate(_ pem: String) throws -> NIOSSLCertificate {
            try NIOSSLCertificate(bytes: Array(pem.utf8), format: .pem)
        }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.trustRoots = .certificates([try certificate(credentials.authority.certificatePEM)])
        tls.certificateChain = [.certificate(try certificate(credentials.admin.certificatePEM))]
        tls.privateKey = .privateKey(
            try NIOSSLPrivateKey(bytes: Array(credentials.admin.privateKeyPEM.utf8), format: .pem))
        return tls
    }

    /// Of what listens in a pod: nobody vouches for a certificate there, so none is looked at, as with kube-apiserver.
    static var podTLS: TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        return tls
    }

    /// Asks a node; its certificate must name it, wherever it is.
    func send(_ request: BackendRequest, to place: NodePlace) async throws -> BackendAnswer {
        let client = try await client(of: place)
        return try await Self.send(request, base: "https://\(place.name):\(place.port)", client)
    }

    /// Asks what listens in a pod.
    func send(
        _ request: BackendRequest, scheme: String, address: String, port: Int
    ) async throws -> BackendAnswer {
        let client = try state.withLock { state in
            guard !state.isShutDown else { throw CancellationError() }
            if let known = state.pods { return known }
            let made = HTTPClient(configuration: Self.configuration(Self.podTLS))
            state.pods = made
            return made
        }
        let host = address.contains(":") ? "[\(address)]" : address
        return try await Self.send(request, base: "\(scheme)://\(host):\(port)", client)
    }

    private static func send(
        _ request: BackendRequest, base: String, _ client: HTTPClient
    ) async throws -> BackendAnswer {
        var prepared = HTTPClientRequest(url: base + request.target)
        prepared.method = HTTPMethod(rawValue: request.method)
        prepared.headers = request.headers
        if request.body.readableBytes > 0 { prepared.body = .bytes(request.body) }
        let answer = try await client.execute(prepared, timeout: answerTime)
        return BackendAnswer(status: Int(answer.status.code), headers: answer.headers, body: answer.body)
    }

    private func client(of place: NodePlace) async throws -> HTTPClient {
        let (client, old) = try state.withLock { state in
            guard !state.isShutDown else { throw CancellationError() }
            let known = state.nodes[place.name]
            if let known, known.address == place.address { return (known.client, nil as HTTPClient?) }
            var configuration = Self.configuration(nodeTLS)
            // The name to verify stands in the URL, the override says where it really is.
            configuration.dnsOverride = [place.name: place.address]
            let made = HTTPClient(configuration: configuration)
            state.nodes[place.name] = (place.address, made)
            return (made, known?.client)
        }
        // Whatever is still under way there leads nowhere: the node has moved.
        try? await old?.shutdown()
        return client
    }

    private static func configuration(_ tls: TLSConfiguration) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow, timeout: .init(connect: connectTime),
            decompression: .disabled)
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.connectionPool.retryConnectionEstablishment = false
        // Each log that somebody follows holds one.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        return configuration
    }

    /// Requests under way fail, and so do later ones.
    func shutdown() async {
        let clients = state.withLock { state in
            state.isShutDown = true
            defer {
                state.nodes = [:]
                state.pods = nil
            }
            return state.nodes.values.map(\.client) + [state.pods].compactMap(\.self)
        }
        for client in clients { try? await client.shutdown() }
    }
}
