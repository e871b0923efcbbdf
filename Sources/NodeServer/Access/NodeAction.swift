/// What a request to the node's API amounts to: a verb on a subresource of the node, under kubelet's names.
struct NodeAction: Hashable, Sendable {
    /// Empty for methods that no right allows.
    let verb: String
    /// Any of them is enough; the finer one first.
    let subresources: [String]

    private static let verbs = [
        "GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete",
    ]
    private static let own = [
        ("stats", "stats"), ("metrics", "metrics"), ("logs", "log"), ("checkpoint", "checkpoint"),
    ]
    private static let finer = [("pods", "pods"), ("healthz", "healthz"), ("configz", "configz")]
    /// Paths that run something or reach into a pod: whatever the method, as a WebSocket begins with GET.
    private static let acting: Set<String> = ["exec", "attach", "portForward", "run", "checkpoint"]

    /// - Parameter path: as sent. One that is written in an unusual way falls to `proxy`, the right to everything.
    init(method: String, path: some StringProtocol) {
        func isBelow(_ first: String) -> Bool { path == "/" + first || path.hasPrefix("/" + first + "/") }
        verb = Self.acting.contains(where: isBelow) ? "create" : Self.verbs[method] ?? ""
        if let found = Self.own.first(where: { isBelow($0.0) }) {
            subresources = [found.1]
        } else if let found = Self.finer.first(where: { isBelow($0.0) }) {
            subresources = [found.1, "proxy"]
        } else {
            subresources = ["proxy"]
        }
    }
}
