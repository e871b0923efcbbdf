public import NIOCore

/// One name and value of a SPDY header block; names are lower case.
public struct SPDYHeader: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// What SPDY/3.1 peers of Kubernetes say to each other.
///
/// SETTINGS and WINDOW_UPDATE are ``ignored``: no client of Kubernetes keeps windows, and one who waited for updates would wait for
/// ever. What keeps memory bounded is that nothing is read while what came before has not been passed on.
public enum SPDYFrame: Hashable, Sendable {
    case openStream(id: UInt32, headers: [SPDYHeader], isLast: Bool)
    case reply(id: UInt32, headers: [SPDYHeader], isLast: Bool)
    case headers(id: UInt32, headers: [SPDYHeader], isLast: Bool)
    case reset(id: UInt32, status: UInt32)
    case ping(id: UInt32)
    case goAway(lastStream: UInt32)
    /// A piece of a data frame: frames are passed on as they come, never gathered.
    case data(id: UInt32, ByteBuffer, isLast: Bool)
    case ignored
}

/// Reasons of a RST_STREAM frame (SPDY/3.1, 2.6.3).
public enum SPDYResetStatus {
    public static let protocolError: UInt32 = 1
    public static let invalidStream: UInt32 = 2
    public static let refusedStream: UInt32 = 3
    public static let cancel: UInt32 = 5
}
