/// Why a streaming session ends: the other side broke the protocol, or asked for more than is given.
public struct StreamingError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) {
        self.message = message
    }

    public var description: String { message }
}
