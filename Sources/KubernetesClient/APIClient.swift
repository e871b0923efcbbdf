public import Logging
import NIOCore

/// What everything on the node talks to one API server with. Redirects are refused.
public final class APIClient: Sendable {
    public let configuration: APIClientConfiguration
    /// Whether the server answers.
    public let reachability = Reachability()
    let logger: Logger
    private let transport: any APITransport

    /// The largest body of an answer, in bytes; a page of 500 large objects stays far below.
    static let maximumBodyBytes = 64 * 1024 * 1024
    /// The longest line of a watch, in bytes: etcd stores at most 1.5 MiB per object.
    static let maximumWatchLineBytes = 4 * 1024 * 1024

    /// A client over the network.
    ///
    /// - Throws: `APIClientConfigurationError` for certificates or keys that cannot be used.
    public convenience init(
        configuration: APIClientConfiguration, logger: Logger
    ) throws(APIClientConfigurationError) {
        self.init(configuration: configuration, transport: try HTTPTransport(configuration), logger: logger)
    }

    /// - Parameter configuration: of it only the time for an answer counts with a transport of one's own.
    public init(configuration: APIClientConfiguration, transport: any APITransport, logger: Logger) {
        self.configuration = configuration
        self.transport = transport
        self.logger = logger
    }

    /// Closes every connection; requests under way fail. The client cannot be used again.
    public func shutdown() async {
        do {
            try await transport.shutdown()
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
            let response = try await withThrowingTaskGroup(of: APIResponse?.self) { group in
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
            reachability.answered()
            return response
        } catch {
            throw reachability.observed(APIError(transportError: error, request: request.label))
        }
    }

    private func collect(_ request: APIRequest) async throws -> APIResponse {
        let answer = try await open(request)
        return APIResponse(status: answer.status, body: try await Self.body(of: answer, upTo: Self.maximumBodyBytes))
    }

    /// Sends a request and returns once the head of a successful answer has arrived.
    func open(_ request: APIRequest) async throws -> APIAnswer {
        let answer = try await transport.execute(request)
        guard answer.status < 300 else { throw try await failure(answer, request: request) }
        if let encoding = answer.headers[APIAnswer.contentEncoding], encoding != "identity" {
            throw APIError.transport(
                .malformedResponse,
                "the answer is compressed (\(encoding.prefix(32))) though that was not asked for",
                request: request.label)
        }
        return answer
    }

    private func failure(_ answer: APIAnswer, request: APIRequest) async throws -> APIError {
        if answer.status < 400 {
            let target = answer.headers[APIAnswer.location] ?? "nowhere"
            return APIError(
                code: .http(answer.status),
                message: "redirect to \(target.prefix(256)) refused; name the API server itself",
                request: request.label)
        }
        // The status alone says enough if the body of the error is broken.
        let body = (try? await Self.body(of: answer, upTo: Self.maximumErrorBodyBytes)) ?? []
        return APIError(
            httpStatus: answer.status, retryAfter: answer.headers[APIAnswer.retryAfter], body: body,
            request: request.label)
    }

    private static let maximumErrorBodyBytes = 1024 * 1024

    private static func body(of answer: APIAnswer, upTo limit: Int) async throws -> [UInt8] {
        Array(try await answer.body.collect(upTo: limit).readableBytesView)
    }
}
