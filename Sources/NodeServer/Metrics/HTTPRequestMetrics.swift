import HTTPTypes
import Hummingbird
import NodeAgent
import Synchronization

/// How many requests the node's interfaces answered, and how fast.
final class HTTPRequestMetrics: Sendable {
    struct Key: Hashable, Sendable, Comparable {
        var method: String
        /// The first part of the path: what is asked for, without names of pods.
        var path: String
        var server: String
        var isLongRunning: Bool

        static func < (left: Key, right: Key) -> Bool {
            (left.server, left.path, left.method) < (right.server, right.path, right.method)
        }
    }

    struct Figures: Sendable {
        var inFlight = 0
        var durations = DurationHistogram()
    }

    private let figures = Mutex<[Key: Figures]>([:])

    init() {}

    func begin(_ key: Key) { figures.withLock { $0[key, default: Figures()].inFlight += 1 } }

    func end(_ key: Key, after duration: Duration) {
        figures.withLock {
            $0[key]?.inFlight -= 1
            $0[key]?.durations.add(duration)
        }
    }

    func snapshot() -> [(key: Key, figures: Figures)] {
        figures.withLock { $0.map { ($0.key, $0.value) } }.sorted { $0.key < $1.key }
    }

    /// First parts of paths that are served. Others count as one, or anybody could fill the table.
    static let knownPaths: Set<String> = [
        "healthz", "pods", "metrics", "stats", "containerLogs", "exec", "attach", "portForward", "run", "configz",
        "logs", "checkpoint", "v1",
    ]
}

/// Counts what passes.
struct HTTPRequestCounter<Context: RequestContext>: RouterMiddleware {
    let metrics: HTTPRequestMetrics
    /// `readwrite`: the node API; `local`: the unix socket.
    let server: String

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let first = request.uri.path.split(separator: "/").first.map(String.init) ?? ""
        let path = HTTPRequestMetrics.knownPaths.contains(first) ? first : "other"
        let key = HTTPRequestMetrics.Key(
            method: request.method.rawValue, path: path, server: server,
            isLongRunning: ["exec", "attach", "portForward", "containerLogs"].contains(path))
        metrics.begin(key)
        let start = ContinuousClock.now
        defer { metrics.end(key, after: start.duration(to: .now)) }
        return try await next(request, context)
    }
}
