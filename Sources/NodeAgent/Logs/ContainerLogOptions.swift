public import KubernetesAPI

/// Which part of a container's log is wanted, and how (`pods/log` of the API).
public struct ContainerLogOptions: Hashable, Sendable {
    public var follow = false
    /// The instance before the last restart.
    public var previous = false
    /// Each line begins with its time.
    public var timestamps = false
    /// Only so many lines from the end.
    public var tailLines: Int64?
    /// Only lines written after this.
    public var since: Timestamp?
    /// Stop after so many bytes, times included.
    public var limitBytes: Int64?

    public init() {}
}

/// Why a log cannot be had, in words for the person who asked.
public enum ContainerLogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// HTTP 400: it makes no sense now.
    case badRequest(String)
    /// HTTP 404.
    case notFound(String)

    public var description: String {
        switch self {
        case .badRequest(let text), .notFound(let text): text
        }
    }
}
