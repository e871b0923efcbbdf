import Testing

@testable import NodeServer

struct NodeActionTests {
    @Test(
        "a path is the right that kubelet asks for, the finer one first",
        arguments: [
            ("GET", "/stats/summary", "get", ["stats"]), ("GET", "/metrics", "get", ["metrics"]),
            ("GET", "/metrics/cadvisor", "get", ["metrics"]), ("GET", "/logs/", "get", ["log"]),
            ("GET", "/logs/pods/x.log", "get", ["log"]), ("GET", "/pods", "get", ["pods", "proxy"]),
            ("GET", "/healthz", "get", ["healthz", "proxy"]), ("GET", "/healthz/ping", "get", ["healthz", "proxy"]),
            ("GET", "/configz", "get", ["configz", "proxy"]), ("GET", "/containerLogs/a/b/c", "get", ["proxy"]),
            ("POST", "/checkpoint/a/b/c", "create", ["checkpoint"]), ("POST", "/exec/a/b/c", "create", ["proxy"]),
            ("DELETE", "/pods", "delete", ["pods", "proxy"]), ("HEAD", "/metrics", "get", ["metrics"]),
            ("GET", "/", "get", ["proxy"]), ("GET", "", "get", ["proxy"]),
        ])
    func mapping(method: String, path: String, verb: String, subresources: [String]) {
        let action = NodeAction(method: method, path: path)
        #expect(action.verb == verb && action.subresources == subresources)
    }

    @Test(
        "what only looks like a finer path needs the right to everything",
        arguments: [
            "//metrics", "/metricsx", "/Metrics", "/%6detrics", "/./metrics", "metrics", "/podsmore",
            "/stats%2fsummary",
        ])
    func lookalikes(path: String) {
        #expect(NodeAction(method: "GET", path: path).subresources == ["proxy"])
    }

    @Test(
        "running something is creating, whatever the method: a WebSocket begins with GET",
        arguments: [
            "/exec/a/b/c", "/attach/a/b/c", "/portForward/a/b", "/run/a/b/c", "/checkpoint/a/b/c",
        ])
    func acting(path: String) {
        #expect(NodeAction(method: "GET", path: path).verb == "create")
    }

    @Test("a method that no right allows has no verb", arguments: ["OPTIONS", "TRACE", "get", "", "CONNECT"])
    func methods(method: String) {
        #expect(NodeAction(method: method, path: "/metrics").verb.isEmpty)
    }
}
