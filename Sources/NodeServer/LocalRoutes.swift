import HTTPTypes
import Hummingbird
import HummingbirdCore
import KubernetesAPI
import NIOCore
import NodeAgent

/// The unix socket of the local verbs. Whoever may open it (mode 0600, directory 0700) is root on this host.
enum LocalRoutes {
    static func router(_ state: NodeServerState) -> Router<NodeRequestContext> {
        let router = Router(context: NodeRequestContext.self)
        router.add(middleware: HTTPRequestCounter(metrics: state.requests, server: "local"))
        NodeAPIRoutes.addShared(to: router, state)
        router.get("/v1/version") { _, _ in
            HTTPResponses.json([
                "version": .string(state.configuration.version), "node": .string(state.configuration.nodeName),
            ])
        }
        router.get("/v1/pods") { request, _ in
            let query = request.uri.queryDictionary
            return HTTPResponses.json(
                await NodeAPIRoutes.podList(
                    state, namespace: query["namespace"].map(String.init), name: query["name"].map(String.init)))
        }
        router.get("/v1/usage") { _, _ in
            // Whoever watches looks more often than scrapers do.
            let sample = await state.usage.sample(maximumAge: .milliseconds(200))
            return HTTPResponses.json(UsageDocument.build(sample.report, nodeName: state.configuration.nodeName))
        }
        router.get("/v1/tries") { _, _ in HTTPResponses.json(await WhyRoute.nextTries(state.agent)) }
        router.get("/v1/why") { request, _ in
            await WhyRoute.respond(state.agent, query: request.uri.queryDictionary)
        }
        router.get("/v1/logs") { request, _ in
            let query = request.uri.queryDictionary
            return await LogRoute.respond(
                state.logs, namespace: query["namespace"].map(String.init) ?? "default",
                pod: query["pod"].map(String.init) ?? "", container: query["container"].map(String.init), query: query)
        }
        router.get("/v1/check") { _, _ in
            HTTPResponses.json(.array(await state.findings().map(json)))
        }
        router.post("/v1/stop") { _, _ in
            await state.stop()
            // The caller hears of it before the node ends.
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "stopped\n"))
                    try await writer.finish(nil)
                    state.exit()
                })
        }
        ImageRoutes.add(to: router, state)
        return router
    }

    static func json(_ finding: HostFinding) -> JSONValue {
        [
            "severity": .string(finding.severity.rawValue), "subject": .string(finding.subject),
            "message": .string(finding.message), "fix": .string(finding.fix),
        ]
    }
}
