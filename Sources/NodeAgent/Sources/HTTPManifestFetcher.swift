import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Gets the body of a manifest.
public protocol ManifestFetching: Sendable {
    func fetch() async throws(ManifestFetchError) -> [UInt8]
}

/// Why there is no body, in one line.
public struct ManifestFetchError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// Gets a manifest over HTTP. TLS is verified with the host's trusted authorities; redirects are followed.
public final class HTTPManifestFetcher: ManifestFetching {
    /// For one request as a whole.
    static let timeout = Duration.seconds(10)

    private let url: ManifestURL
    private let headers: HTTPHeaders
    private let http: HTTPClient
    private let timeout: Duration

    /// - Parameter headers: sent with each request, such as an authorization.
    public convenience init(url: ManifestURL, headers: [(name: String, value: String)] = []) {
        self.init(url: url, headers: headers, timeout: Self.timeout)
    }

    init(url: ManifestURL, headers: [(name: String, value: String)], timeout: Duration) {
        self.url = url
        self.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
        self.timeout = timeout
        // A compressed answer could grow beyond any limit.
        http = HTTPClient(
            configuration: HTTPClient.Configuration(
                redirectConfiguration: .follow(max: 10, allowCycles: false), decompression: .disabled))
    }

    /// Closes the connections; to be called once at the end.
    public func shutdown() async {
        // Nothing is left to do about a connection that does not close well.
        try? await http.shutdown()
    }

    public func fetch() async throws(ManifestFetchError) -> [UInt8] {
        do {
            return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                group.addTask { try await self.get() }
                group.addTask { [timeout] in
                    try await ContinuousClock().sleep(for: timeout)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let body = first else {
                    throw ManifestFetchError("no answer within \(timeout)")
                }
                return body
            }
        } catch let error as ManifestFetchError {
            throw error
        } catch is NIOTooManyBytesError {
            throw ManifestFetchError("the answer is larger than the limit of \(ManifestFile.maximumBytes) bytes")
        } catch {
            throw ManifestFetchError("\(error)")
        }
    }

    private func get() async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url.text)
        request.headers = headers
        let response = try await http.execute(request, deadline: .distantFuture)
        guard response.status == .ok else {
            throw ManifestFetchError("the server answered \(response.status.code) \(response.status.reasonPhrase)")
        }
        return Array(buffer: try await response.body.collect(upTo: ManifestFile.maximumBytes))
    }
}
