import NIOCore
import NIOHTTP1
import NIOSSL

/// Makes the requests of probes and hooks: a connection each, no proxy, no verification of certificates, redirects
/// followed on the same host only.
struct HTTPGetClient: Sendable {
    /// Why there is no answer, as one line.
    struct Failure: Error, Sendable {
        let message: String
        /// An HTTPS request was answered in plain HTTP.
        var serverSpokePlainHTTP = false
    }

    /// As many as Go's client follows.
    static let maximumRequests = 10

    private let group: any EventLoopGroup
    private let tls: NIOSSLContext

    init(group: any EventLoopGroup) throws {
        self.group = group
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.trustRoots = .certificates([])
        configuration.minimumTLSVersion = .tlsv12
        // A connection is used once; there is nothing to lose by not waiting for the peer's farewell.
        configuration.shutdownTimeout = .seconds(1)
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// - Parameter timeout: of the whole exchange, redirects included; nil means as long as it takes.
    /// - Returns: the last answer, which is a redirect when it leads to another host or nowhere.
    func get(_ first: HTTPGetRequest, timeout: Duration?) async throws(Failure) -> HTTPGetAnswer {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        var request = first
        var count = 0
        while true {
            let answer = try await exchange(request, timeout: deadline.map { max(.zero, $0 - .now) })
            guard [301, 302, 303, 307, 308].contains(answer.status), let location = answer.location,
                !location.isEmpty
            else { return answer }
            do throws(ProbeURLError) {
                let next = try request.url.resolving(location)
                if next.host != first.url.host { return answer }
                // The author's Host is for the server asked first, and kept where the redirect names no server.
                if ProbeURL.isAbsolute(location) { request.host = nil }
                request.url = next
            } catch {
                throw failure(request, error.description)
            }
            count += 1
            if count == Self.maximumRequests {
                throw failure(request, "stopped after \(Self.maximumRequests) redirects")
            }
        }
    }

    private func exchange(_ request: HTTPGetRequest, timeout: Duration?) async throws(Failure) -> HTTPGetAnswer {
        let (tls, head, url) = (tls, request.head, request.url)
        do {
            return try await ProbeConnection.exchange(
                with: url.address, on: group, timeout: timeout
            ) { channel, promise, progress in
                let pipeline = channel.pipeline.syncOperations
                if url.scheme == .https {
                    try pipeline.addHandler(PlainHTTPDetector())
                    let isAddress = (try? SocketAddress(ipAddress: url.host, port: 0)) != nil
                    try pipeline.addHandler(
                        NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : url.host))
                }
                try pipeline.addHandler(HTTPRequestEncoder())
                try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)))
                try pipeline.addHandler(NIOHTTPRequestHeadersValidator())
                try pipeline.addHandler(HTTPExchangeHandler(request: head, promise: promise, progress: progress))
            }
        } catch ProbeConnection.Failure.timedOut(.readingBody) {
            // The status is not looked at: whether it still counts is for the caller to say.
            return HTTPGetAnswer(
                status: 0,
                bodyError: "\(ProbeConnectionText.deadlineExceeded) "
                    + "(Client.Timeout or context cancellation while reading body)")
        } catch ProbeConnection.Failure.timedOut {
            throw failure(
                request,
                "\(ProbeConnectionText.deadlineExceeded) (Client.Timeout exceeded while awaiting headers)")
        } catch let error as PlainHTTPDetector.ServerSpokePlainHTTP {
            var failure = failure(request, error.description)
            failure.serverSpokePlainHTTP = true
            throw failure
        } catch let error as HTTPParserError {
            throw failure(request, "malformed HTTP response: \(error)")
        } catch {
            throw failure(request, ProbeConnectionText.describe(error, address: url.address))
        }
    }

    private func failure(_ request: HTTPGetRequest, _ reason: String) -> Failure {
        Failure(message: "Get \"\(request.url)\": \(reason)")
    }
}
