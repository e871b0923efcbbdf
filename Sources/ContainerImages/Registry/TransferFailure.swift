import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Why one request has failed, and what that means for the next try.
struct TransferFailure: Error {
    var setback: TransferPlan.Setback
    var error: ImageError

    init(_ setback: TransferPlan.Setback, _ code: ImageError.Code, _ message: String) {
        self.setback = setback
        error = ImageError(code, message)
    }

    /// Something broke on the way to or from `place`.
    init(transport error: any Error, place: String) {
        switch error {
        case let failure as TransferFailure: self = failure
        case is CancellationError: self.init(.refused, .cancelled, "\(place): the pull was cancelled")
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            self.init(.refused, .unavailable, "\(place): TLS: \(Self.reason(error))")
        case let error as IOError where Self.unconnected.contains(error.errnoCode):
            self.init(.unreachable, .unavailable, "\(place): cannot connect: \(Self.reason(error))")
        case is NIOConnectionError:
            self.init(.unreachable, .unavailable, "\(place): \(Self.reason(error))")
        case let error as HTTPClientError where error == .connectTimeout:
            self.init(.unreachable, .unavailable, "\(place): \(Self.reason(error))")
        case is NIOTooManyBytesError:
            self.init(.refused, .limitExceeded, "\(place): its answer is too large")
        case let error as HTTPClientError where error == .cancelled:
            self.init(.refused, .cancelled, "\(place): the pull was cancelled")
        default: self.init(.broken, .unavailable, "\(place): \(Self.reason(error))")
        }
    }

    /// What `connect` fails with; a connection in use breaks with other numbers.
    private static let unconnected: Set<CInt> = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN]

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return "cannot connect: \(reason(first.error))" }
            return "the name \"\(error.host)\" cannot be resolved"
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        case let error as HTTPClientError: return reason(error)
        default:
            let text = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
            return String(text.prefix(200))
        }
    }

    private static func reason(_ error: HTTPClientError) -> String {
        switch error {
        case .connectTimeout: "cannot connect in time"
        case .readTimeout, .deadlineExceeded: "does not answer in time"
        case .remoteConnectionClosed: "the connection was closed"
        case .tlsHandshakeTimeout: "the TLS handshake takes too long"
        default: String("\(error)".prefix(200))
        }
    }
}
