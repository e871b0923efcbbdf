import ContainerRuntime
import Hummingbird
import HummingbirdCore
import KubernetesAPI
import NodeAgent

/// The HTTPS interface on port 10250, with kubelet's paths.
enum NodeAPIRoutes {
    static func router(_ state: NodeServerState, _ access: NodeAccess) -> Router<NodeRequestContext> {
        let router = Router(context: NodeRequestContext.self)
        router.add(middleware: HTTPRequestCounter(metrics: state.requests, server: "readwrite"))
        router.add(middleware: AccessMiddleware(access: access))
        addShared(to: router, state)
        router.get("/containerLogs/{namespace}/{pod}/{container}") { request, context in
            await LogRoute.respond(
                state.logs, namespace: try context.parameters.require("namespace"),
                pod: try context.parameters.require("pod"), container: try context.parameters.require("container"),
                query: request.uri.queryDictionary)
        }
        router.get("/pods") { _, _ in HTTPResponses.json(await podList(state)) }
        return router
    }

    /// Routes that both interfaces have.
    static func addShared(to router: Router<NodeRequestContext>, _ state: NodeServerState) {
        router.get("/healthz") { _, _ in HTTPResponses.text("ok") }
        router.get("/healthz/{check}") { _, context in
            // This answer shows that the loops run: requests and pods are served by the same threads.
            ["ping", "log", "syncloop"].contains(context.parameters.get("check") ?? "")
                ? HTTPResponses.text("ok") : HTTPResponses.error("404 page not found", status: .notFound)
        }
        router.get("/configz") { _, _ in
            HTTPResponses.json(["kubeletconfig": state.configuration.kubeletConfiguration])
        }
        HostLogRoute.add(to: router, HostLogs(directory: state.configuration.hostLogDirectory))
        router.post("/checkpoint/{namespace}/{pod}/{container}") { _, context in
            await checkpoint(
                state, namespace: try context.parameters.require("namespace"),
                pod: try context.parameters.require("pod"), container: try context.parameters.require("container"))
        }
        UsageRoutes.add(to: router, state)
    }

    private static func checkpoint(
        _ state: NodeServerState, namespace: String, pod: String, container: String
    ) async -> Response {
        let found = await state.agent.pods().first { $0.metadata.namespace == namespace && $0.metadata.name == pod }
        guard let found else {
            return HTTPResponses.error("pod \(namespace)/\(pod) does not exist", status: .notFound)
        }
        guard found.spec.containers.contains(where: { $0.name == container }) else {
            return HTTPResponses.error(
                "container \(container) in pod \(namespace)/\(pod) does not exist", status: .notFound)
        }
        return HTTPResponses.error(
            "checkpointing of \(namespace)/\(pod)/\(container) failed: this node takes no checkpoints",
            status: .notImplemented)
    }

    /// - Parameter namespace, name: nil for all.
    static func podList(_ state: NodeServerState, namespace: String? = nil, name: String? = nil) async -> JSONValue {
        let pods = await state.agent.pods()
            .filter { namespace ?? $0.metadata.namespace == $0.metadata.namespace }
            .filter { name ?? $0.metadata.name == $0.metadata.name }
            .compactMap { try? JSONValueEncoder().encode($0) }
        return ["apiVersion": "v1", "kind": "PodList", "metadata": [:], "items": .array(pods)]
    }
}

extension URI {
    /// The query's parameters; the first of a name counts.
    var queryDictionary: [Substring: Substring] {
        Dictionary(queryParameters.map { ($0.key, $0.value) }) { first, _ in first }
    }
}
