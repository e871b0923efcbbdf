import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

extension APIError {
    /// Sorts whatever broke a request into the kinds callers decide by.
    init(transportError error: any Error, request: String) {
        if let error = error as? APIError {
            self = error
            if self.request.isEmpty { self.request = request }
            return
        }
        self = .transport(Self.failure(error), "\(error)", request: request)
    }

    /// What `connect` fails with; a connection in use breaks with other numbers.
    private static let unconnected: Set<CInt> = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, EADDRNOTAVAIL]

    private static func failure(_ error: any Error) -> TransportFailure {
        switch error {
        case is CancellationError: .cancelled
        case is NIOTooManyBytesError: .bodyTooLarge
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: .tls
        case is NIOConnectionError: .unreachable
        case let error as IOError where unconnected.contains(error.errnoCode): .unreachable
        case let error as HTTPParserError: error == .invalidEOFState ? .connectionLost : .malformedResponse
        case let error as ChannelError:
            if case .connectTimeout = error { .unreachable } else { .connectionLost }
        case let error as HTTPClientError: failure(error)
        default: .connectionLost
        }
    }

    private static func failure(_ error: HTTPClientError) -> TransportFailure {
        switch error {
        case .cancelled, .requestStreamCancelled: .cancelled
        case .alreadyShutdown: .clientShutDown
        case .connectTimeout, .getConnectionFromPoolTimeout: .unreachable
        case .deadlineExceeded, .readTimeout, .writeTimeout: .timedOut
        case .tlsHandshakeTimeout: .tls
        case .invalidURL, .emptyHost, .emptyScheme, .invalidDNSOverridesConfiguration: .invalidRequest
        default: .connectionLost
        }
    }
}
