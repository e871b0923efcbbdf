import Glibc
import NIOCore
import NIOPosix

/// What went wrong on a connection, in the words Go programs use: these messages are what people search for.
enum ProbeConnectionText {
    static let deadlineExceeded = "context deadline exceeded"

    /// - Parameter address: what was dialled.
    static func describe(_ error: any Error, address: ProbeAddress) -> String {
        switch error {
        case ProbeConnection.Failure.timedOut(.connecting): return "dial tcp \(address.text): i/o timeout"
        case ProbeConnection.Failure.timedOut: return deadlineExceeded
        case ProbeConnection.Failure.cancelled: return "context canceled"
        case ChannelError.eof, ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed: return "EOF"
        case let error as NIOConnectionError: return describe(error, address: address)
        case let error as IOError: return "\(operation(of: error, address)): \(name(error.errnoCode))"
        default: return "\(error)"
        }
    }

    private static func describe(_ error: NIOConnectionError, address: ProbeAddress) -> String {
        if let single = error.connectionErrors.first { return describe(single.error, address: address) }
        return "dial tcp: lookup \(address.host): no such host"
    }

    private static func operation(of error: IOError, _ address: ProbeAddress) -> String {
        switch error.errnoCode {
        case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, EINVAL: "dial tcp \(address.text): connect"
        case EPIPE: "write"
        default: "read"
        }
    }

    private static func name(_ code: CInt) -> String {
        guard let text = strerror(code) else { return "errno \(code)" }
        return String(cString: text).lowercased()
    }
}
