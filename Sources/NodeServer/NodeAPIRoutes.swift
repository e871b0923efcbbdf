import ContainerRuntime
import Hummingbird
import HummingbirdCore
import KubernetesAPI
import NodeAgent

/// The HTTPS interface on port 10250, with kubelet's paths.
enum NodeAPIRoutes {
    static func router(_ state: NodeServerState) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
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
        for path in ["/metrics", "/metrics/cadvisor"] {
            router.get(RouterPath(path)) { _, _ in
                let (report, _) = await state.sampler.sample()
                let text = MetricsExporter.export(
                    report, instances: await state.host.runtime.containers(), pods: await state.agent.pods(),
                    nodeName: state.configuration.nodeName, version: state.configuration.version)
                return HTTPResponses.text(text, type: "text/plain; version=0.0.4; charset=utf-8")
            }
        }
        router.get("/metrics/probes") { _, _ in
            HTTPResponses.text(
                MetricsExporter.export(await state.agent.probes.metrics()),
                type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/stats/summary") { _, _ in
            let (report, rates) = await state.sampler.sample()
            return HTTPResponses.json(
                StatsSummary.build(report, nodeName: state.configuration.nodeName, rates: rates))
        }
    }

    static func podList(_ state: NodeServerState) async -> JSONValue {
        let pods = await state.agent.pods().compactMap { try? JSONValueEncoder().encode($0) }
        return ["apiVersion": "v1", "kind": "PodList", "metadata": [:], "items": .array(pods)]
    }
}

extension URI {
    /// The query's parameters; the first of a name counts.
    var queryDictionary: [Substring: Substring] {
        Dictionary(queryParameters.map { ($0.key, $0.value) }) { first, _ in first }
    }
}
