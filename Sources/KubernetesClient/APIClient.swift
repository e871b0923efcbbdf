import AsyncHTTPClient
public import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// A connection to one API server, shared by everything on the node that talks to it.
///
/// HTTP/2 where the server offers it, else HTTP/1.1 with kept-alive connections; TLS 1.2 or newer; redirects are
/// refused, since following one would hand credentials to whoever answers there.
public final class APIClient: Sendable {
    public let configuration: APIClientConfiguration
    let logger: Logger
    private let http: HTTPClient
    private let token: BearerTokenCache?
    /// Base URL with the name to verify in the host's place.
    private let baseURL: String
    private let hostHeader: String

    /// The largest body of an answer, in bytes; a page of 500 large objects stays far below.
    static let maximumBodyBytes = 64 * 1024 * 1024
    /// The longest line of a watch, in bytes: etcd stores at most 1.5 MiB per object.
    static let maximumWatchLineBytes = 4 * 1024 * 1024

    /// - Throws: `APIClientConfigurationError` for certificates or keys that cannot be used.
    public init(configuration: APIClientConfiguration, logger: Logger) throws(APIClientConfigurationError) {
        self.configuration = configuration
        self.logger = logger
        var settings = HTTPClient.Configuration(
            tlsConfiguration: try configuration.tlsConfiguration(),
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
        token = configuration.bearerToken.map { BearerTokenCache($0) }
        http = HTTPClient(configuration: settings)
    }

    /// Closes every connection; requests under way fail. The client cannot be used again.
    public func shutdown() async {
        do {
            try await http.shutdown()
        } catch {
            logger.debug("api client shut down uncleanly", metadata: ["error": "\(error)"])
        }
    }

    /// Sends a request and collects its answer.
    ///
    /// - Throws: `APIError` for every status from 300 up and for every failure on the way.
    public func send(_ request: APIRequest) async throws(APIError) -> APIResponse {
        let timeout = configuration.requestTimeout
        do {
            return try await withThrowingTaskGroup(of: APIResponse?.self) { group in
                group.addTask { try await self.collect(request) }
                group.addTask {
                    try await ContinuousClock().sleep(for: timeout)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let response = first else {
                    throw APIError.transport(.timedOut, "no answer within \(timeout)", request: request.label)
                }
                return response
            }
        } catch {
            throw APIError(transportError: error, request: request.label)
        }
    }

    private func collect(_ request: APIRequest) async throws -> APIResponse {
        let response = try await open(request)
        let body = try await Self.body(of: response, upTo: Self.maximumBodyBytes)
        return APIResponse(status: Int(response.status.code), body: body)
    }

    /// Sends a request and returns once the head of a successful answer has arrived.
    func open(_ request: APIRequest) async throws -> HTTPClientResponse {
        let response = try await http.execute(
            try prepared(request), timeout: TimeAmount(configuration.requestTimeout))
        if response.status.code < 300 {
            if let encoding = response.headers.first(name: "content-encoding"), encoding != "identity" {
                throw APIError.transport(
                    .malformedResponse,
                    "the answer is compressed (\(encoding.prefix(32))) though that was not asked for",
                    request: request.label)
            }
            return response
        }
        throw try await failure(response, request: request)
    }

    private func failure(_ response: HTTPClientResponse, request: APIRequest) async throws -> APIError {
        let status = Int(response.status.code)
        if status < 400 {
            let target = response.headers.first(name: "location") ?? "nowhere"
            return APIError(
                code: .http(status), message: "redirect to \(target.prefix(256)) refused; name the API server itself",
                request: request.label)
        }
        if status == 401 { token?.invalidate() }
        // The status alone says enough if the body of the error is broken.
        let body = (try? await Self.body(of: response, upTo: Self.maximumErrorBodyBytes)) ?? []
        return APIError(
            httpStatus: status, retryAfter: response.headers.first(name: "retry-after"), body: body,
            request: request.label)
    }

    private static let maximumErrorBodyBytes = 1024 * 1024

    private static func body(of response: HTTPClientResponse, upTo limit: Int) async throws -> [UInt8] {
        let buffer = try await response.body.collect(upTo: limit)
        return Array(buffer.readableBytesView)
    }

    private func prepared(_ request: APIRequest) throws -> HTTPClientRequest {
        var prepared = HTTPClientRequest(url: baseURL + request.target)
        prepared.method = HTTPMethod(rawValue: request.method.rawValue)
        prepared.headers.replaceOrAdd(name: "host", value: hostHeader)
        prepared.headers.replaceOrAdd(name: "accept", value: request.accept)
        prepared.headers.replaceOrAdd(name: "user-agent", value: configuration.userAgent)
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
