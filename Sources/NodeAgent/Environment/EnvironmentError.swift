/// Why the environment of a container cannot be built, in one line for its waiting reason `CreateContainerConfigError`.
/// It never shows a value.
public struct EnvironmentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is: stable, for callers that decide by it.
    public enum Code: String, Hashable, Sendable {
        /// A ConfigMap, a Secret or a key does not exist (yet).
        case notFound
        /// The object could not be read from the control endpoint; it may exist.
        case sourceUnavailable
        /// A variable of a kind this node cannot provide.
        case unsupported
        /// A value that no environment can hold.
        case invalid
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
