import ContainerRuntime
import Hummingbird
import HummingbirdCore
import KubernetesAPI
import NodeAgent

/// The HTTPS interface on port 10250, with kubelet's paths.
enum NodeAPIRoutes {
    static func router(_ state: NodeServerState) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: HTTPRequestCounter(metrics: state.requests, server: "readwrite"))
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
    static func addShared(to router: Router<BasicRequestContext>, _ state: NodeServerState) {
        router.get("/healthz") { _, _ in HTTPResponses.text("ok") }
        UsageRoutes.add(to: router, state)
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
