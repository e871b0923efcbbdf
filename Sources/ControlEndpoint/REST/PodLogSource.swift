public import KubernetesAPI
public import NIOCore

/// Where the endpoint gets the logs of a container: the node agent in this process, or the API of another node.
public protocol PodLogSource: Sendable {
    /// The log in the order it was written. With `options.follow` it goes on until the container ends or the task is
    /// cancelled.
    func logs(
        pod: Pod, container: String, options: PodLogOptions
    ) async throws -> AsyncThrowingStream<ByteBuffer, any Error>
}

/// Which part of a log is wanted, and how.
public struct PodLogOptions: Hashable, Sendable {
    /// Stay and send what is written from now on.
    public var follow = false
    /// The log of the instance before the last restart.
    public var previous = false
    /// Each line begins with the time it was written.
    public var timestamps = false
    /// Only this many lines from the end.
    public var tailLines: Int64?
    /// Only lines younger than this.
    public var sinceSeconds: Int64?
    /// Only lines written after this.
    public var sinceTime: Timestamp?
    /// Stop after this many bytes.
    public var limitBytes: Int64?

    public init(
        follow: Bool = false, previous: Bool = false, timestamps: Bool = false, tailLines: Int64? = nil,
        sinceSeconds: Int64? = nil, sinceTime: Timestamp? = nil, limitBytes: Int64? = nil
    ) {
        self.follow = follow
        self.previous = previous
        self.timestamps = timestamps
        self.tailLines = tailLines
        self.sinceSeconds = sinceSeconds
        self.sinceTime = sinceTime
        self.limitBytes = limitBytes
    }
}

/// Why a log cannot be had, in words for the person who asked.
public enum PodLogError: Error, Sendable, CustomStringConvertible {
    /// The request makes no sense now: the container has not started, or has no previous instance.
    case badRequest(String)
    case notFound(String)
    /// The node cannot be reached.
    case unavailable(String)

    public var description: String {
        switch self {
        case .badRequest(let text), .notFound(let text), .unavailable(let text): text
        }
    }
}
