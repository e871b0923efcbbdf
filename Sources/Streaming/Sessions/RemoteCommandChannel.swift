internal import NIOCore

/// The streams of a remote command, with their numbers in WebSocket messages.
enum RemoteCommandChannel: UInt8, Hashable, Sendable {
    case standardInput = 0
    case standardOutput = 1
    case standardError = 2
    case error = 3
    case resize = 4

    /// Version 5: the message's second byte names the channel that ends.
    static let closeNumber: UInt8 = 255

    /// The `streamType` header of SPDY streams.
    init?(streamType: String) {
        switch streamType {
        case "stdin": self = .standardInput
        case "stdout": self = .standardOutput
        case "stderr": self = .standardError
        case "error": self = .error
        case "resize": self = .resize
        default: return nil
        }
    }

    /// A WebSocket message of this channel.
    func message(_ bytes: ByteBuffer) -> ByteBuffer {
        var (bytes, message) = (bytes, ByteBuffer())
        message.reserveCapacity(bytes.readableBytes + 1)
        message.writeInteger(rawValue)
        message.writeBuffer(&bytes)
        return message
    }
}

/// Versions of the remote command protocol and how they differ.
public enum RemoteCommandProtocol: String, Hashable, Sendable, CaseIterable {
    case webSocket5 = "ws:v5.channel.k8s.io"
    case webSocket4 = "ws:v4.channel.k8s.io"
    case webSocket1 = "ws:channel.k8s.io"
    case spdy4 = "spdy:v4.channel.k8s.io"
    case spdy3 = "spdy:v3.channel.k8s.io"
    case spdy2 = "spdy:v2.channel.k8s.io"
    case spdy1 = "spdy:channel.k8s.io"

    public var isWebSocket: Bool { rawValue.hasPrefix("ws:") }

    /// As clients name it.
    public var name: String { String(rawValue.drop { $0 != ":" }.dropFirst()) }

    /// The end of a command is a v1.Status; else plain text.
    var hasStatusDocument: Bool {
        switch self {
        case .webSocket5, .webSocket4, .spdy4: true
        case .webSocket1, .spdy3, .spdy2, .spdy1: false
        }
    }

    var hasResize: Bool {
        switch self {
        case .webSocket5, .webSocket4, .webSocket1, .spdy4, .spdy3: true
        case .spdy2, .spdy1: false
        }
    }

    var hasClose: Bool { self == .webSocket5 }

    /// The best of those that a client offers; nil when there is none.
    public static func choose(offered: [String], isWebSocket: Bool) -> RemoteCommandProtocol? {
        allCases.first { $0.isWebSocket == isWebSocket && offered.contains($0.name) }
    }
}
