import HTTPTypes
import Hummingbird
import KubernetesAPI
import NodeAgent

/// What happened to a pod, and what waits: for `swiftlet why` and `swiftlet ps`.
enum WhyRoute {
    static func respond(_ agent: NodeAgent, query: [Substring: Substring]) async -> Response {
        let namespace = query["namespace"].map(String.init) ?? "default"
        let name = query["pod"].map(String.init) ?? ""
        guard let report = await agent.why(namespace: namespace, pod: name) else {
            let near = await agent.podNames(near: name, namespace: namespace)
            let hint = near.isEmpty ? "`swiftlet ps` lists the pods" : "did you mean \(near.joined(separator: ", "))?"
            return HTTPResponses.error("pod \(namespace)/\(name) is not on this node: \(hint)", status: .notFound)
        }
        return query["output"] == "json" ? HTTPResponses.json(report.json) : HTTPResponses.text(report.text)
    }

    /// By UID and container: whole seconds until it is tried again.
    static func nextTries(_ agent: NodeAgent) async -> JSONValue {
        var tries: [String: JSONValue] = [:]
        for pod in await agent.pods() {
            let uid = pod.metadata.uid ?? ""
            let waiting = agent.timelines.nextTries(of: uid)
            if waiting.isEmpty { continue }
            tries[uid] = .object(waiting.mapValues { .integer(wholeSeconds($0)) })
        }
        return .object(tries)
    }

    /// Rounded up: what is due in 0.4 s is not due yet.
    private static func wholeSeconds(_ duration: Duration) -> Int64 {
        let (seconds, rest) = duration.components
        return rest > 0 ? seconds + 1 : seconds
    }
}
