import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL

/// Requests over the network: HTTP/2 where the server offers it, else HTTP/1.1 with kept-alive connections; TLS 1.2 or newer.
final class HTTPTransport: APITransport {
    private let http: HTTPClient
    private let token: BearerTokenCache?
    private let userAgent: String
    private let headTimeout: TimeAmount
    /// Base URL with the name to verify in the host's place.
    private let baseURL: String
    private let hostHeader: String

    /// - Throws: `APIClientConfigurationError` for certificates or keys that cannot be used.
    init(_ configuration: APIClientConfiguration) throws(APIClientConfigurationError) {
        var settings = HTTPClient.Configuration(
            tlsConfiguration: try configuration.tlsConfiguration(),
            // Following one would hand credentials to whoever answers there.
            redirectConfiguration: .disallow,
            timeout: .init(connect: .init(configuration.connectTimeout)),
            decompression: .disabled)
        settings.connectionPool.idleTimeout = .seconds(90)
        // Who asks has a retry policy. The pool's own would go on growing behind it, to a minute, and hold up the next request.
        settings.connectionPool.retryConnectionEstablishment = false
        // Over HTTP/1.1 every watch holds a connection for itself, and a node watches each ConfigMap and Secret that its pods' files
        // follow; the limit only stops a runaway.
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4_096
        let server = configuration.server
        hostHeader = server.authority
        if let name = configuration.tlsServerName, !name.isEmpty, server.scheme == .https {
            // The name to verify stands in the URL, the override says where it really is.
            settings.dnsOverride = [name: server.host]
            baseURL = "https://\(name):\(server.port)\(server.pathPrefix)"
        } else {
            baseURL = server.description
        }
        userAgent = configuration.userAgent
        headTimeout = TimeAmount(configuration.requestTimeout)
        token = configuration.bearerToken.map { BearerTokenCache($0) }
        http = HTTPClient(configuration: settings)
    }

    func execute(_ request: APIRequest) async throws -> APIAnswer {
        let response = try await http.execute(try prepared(request), timeout: headTimeout)
        if response.status == .unauthorized { token?.invalidate() }
        var headers: [String: String] = [:]
        for name in [APIAnswer.retryAfter, APIAnswer.location, APIAnswer.contentEncoding] {
            headers[name] = response.headers.first(name: name)
        }
        return APIAnswer(status: Int(response.status.code), headers: headers, body: response.body)
    }

    func shutdown() async throws { try await http.shutdown() }

    private func prepared(_ request: APIRequest) throws -> HTTPClientRequest {
        var prepared = HTTPClientRequest(url: baseURL + request.target)
        prepared.method = HTTPMethod(rawValue: request.method.rawValue)
        prepared.headers.replaceOrAdd(name: "host", value: hostHeader)
        prepared.headers.replaceOrAdd(name: "accept", value: request.accept)
        prepared.headers.replaceOrAdd(name: "user-agent", value: userAgent)
        if let body = request.body {
            prepared.headers.replaceOrAdd(name: "content-type", value: request.contentType)
            prepared.body = .bytes(ByteBuffer(bytes: body))
        }
        if let token {
            do {
                prepared.headers.replaceOrAdd(name: "authorization", value: "Bearer \(try token.token())")
            } catch {
                throw APIError.transport(.invalidRequest, "no bearer token: \(error)", request: request.label)
            }
        }
        return prepared
    }
}
