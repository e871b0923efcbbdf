import ControlEndpoint
import Logging
import NodeAgent
import PodNetwork

/// How the pods of a node get at the API server that runs beside its agent.
enum PodAccess {
    /// Nil for an agent of another API server. Says what to do where pods cannot reach it: by default it listens on the loopback
    /// alone, and nothing opens it by itself.
    static func reach(_ settings: NodeSettings, _ endpoint: NodeProcess.RunningEndpoint?, _ logger: Logger)
        -> APIServerReach?
    {
        guard let endpoint else { return nil }
        let port = endpoint.server.boundPort ?? settings.listenPort
        let reach = APIServerReach(listenAddress: settings.listenAddress, port: port, podCIDRs: settings.podCIDRs)
        if let reach, reach.forPods == nil {
            let gateway = settings.podCIDRs.first?.gateway.description ?? ""
            logger.info(
                "the API is on the loopback: only pods with hostNetwork reach it; --listen with 0.0.0.0 opens it to all",
                metadata: ["listen": "\(settings.listenAddress):\(port)", "gateway": "\(gateway)"])
        }
        return reach
    }
}
