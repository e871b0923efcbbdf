/// A fact about the pod that cannot be given, in one line.
public struct DownwardAPIError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
