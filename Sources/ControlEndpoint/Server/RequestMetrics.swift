internal import Synchronization

/// How many requests the endpoint answered, and how fast, under the names that dashboards for Kubernetes know.
final class RequestMetrics: Sendable {
    /// What requests are told apart by: nothing that a client can make up.
    struct Key: Hashable, Sendable, Comparable {
        var verb: String
        var group = ""
        var version = ""
        var resource = ""
        var subresource = ""
        /// `cluster`, `namespace` or `resource`; empty for what names no resource.
        var scope = ""

        static func < (left: Key, right: Key) -> Bool { left.parts.lexicographicallyPrecedes(right.parts) }

        private var parts: [String] { [group, version, resource, subresource, scope, verb] }

        var labels: String {
            let pairs = [
                ("group", group), ("resource", resource), ("scope", scope), ("subresource", subresource),
                ("verb", verb), ("version", version),
            ]
            return pairs.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",")
        }
    }

    struct Figures: Sendable {
        var counts: [Int: UInt64] = [:]
        /// By upper bound; the last is for all that took longer.
        var buckets = [UInt64](repeating: 0, count: RequestMetrics.bounds.count + 1)
        var nanoseconds: UInt64 = 0
        var running = 0
    }

    /// Upper bounds of the buckets, in milliseconds: a part of those of kube-apiserver.
    static let bounds: [Int64] = [5, 25, 50, 100, 200, 400, 600, 1000, 2000, 5000, 10_000, 30_000, 60_000]

    private let figures = Mutex<[Key: Figures]>([:])

    init() {}

    func answered(_ key: Key, status: Int, after duration: Duration) {
        figures.withLock { $0[key, default: Figures()].count(status, duration) }
    }

    /// A request whose answer is written bit by bit, as long as it is.
    func begin(_ key: Key) { figures.withLock { $0[key, default: Figures()].running += 1 } }
    func end(_ key: Key) { figures.withLock { $0[key]?.running -= 1 } }

    func snapshot() -> [(key: Key, figures: Figures)] {
        figures.withLock { $0.map { ($0.key, $0.value) } }.sorted { $0.key < $1.key }
    }
}

extension RequestMetrics.Figures {
    fileprivate mutating func count(_ status: Int, _ duration: Duration) {
        counts[status, default: 0] += 1
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        let bounds = RequestMetrics.bounds
        buckets[bounds.firstIndex { milliseconds < $0 } ?? bounds.count] += 1
        nanoseconds +=
            UInt64(clamping: duration.components.seconds &* 1_000_000_000)
            + UInt64(clamping: duration.components.attoseconds / 1_000_000_000)
    }
}
