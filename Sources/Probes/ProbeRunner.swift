import KubernetesAPI
public import NIOCore
import NIOSSL

/// Runs a probe once.
public protocol ProbeRunning: Sendable {
    /// Returns when the attempt has ended, which takes no longer than `timeout`, or soon after the task is cancelled.
    func run(_ kind: ProbeKind, of target: ProbeTarget, timeout: Duration) async -> ProbeOutcome
}

/// Runs probes for real: over the network, or inside the container.
public struct ProbeRunner: ProbeRunning {
    private let http: HTTPGetClient
    private let group: any EventLoopGroup
    private let execution: any ProbeExecution

    /// - Parameter group: serves the connections; should serve nothing that suffers from a few milliseconds' wait.
    /// - Throws: when the TLS library cannot be set up.
    public init(group: any EventLoopGroup, execution: any ProbeExecution) throws {
        http = try HTTPGetClient(group: group)
        self.group = group
        self.execution = execution
    }

    public func run(_ kind: ProbeKind, of target: ProbeTarget, timeout: Duration) async -> ProbeOutcome {
        let (container, podIP) = (target.container, target.podIP)
        let probe = container.probe(kind) ?? Probe()
        do throws(ProbeAddressError) {
            if let action = probe.exec {
                return await ExecProbe(action, container: container, execution: execution)
                    .run(in: target.containerID, timeout: timeout)
            } else if let action = probe.httpGet {
                let request = try HTTPGetRequest(
                    action, container: container, podIP: podIP, userAgent: ProbeUserAgent.probe)
                return await HTTPProbe(client: http).run(request, timeout: timeout)
            } else if let action = probe.tcpSocket {
                let address = try ProbeAddress(
                    host: action.host, port: action.port, container: container, podIP: podIP)
                return await TCPProbe(group: group).run(address, timeout: timeout)
            } else if let action = probe.grpc {
                let address = try ProbeAddress(
                    host: nil, port: .int(action.port), container: container, podIP: podIP)
                return await GRPCProbe(group: group).run(address, service: action.service ?? "", timeout: timeout)
            }
        } catch {
            return .error(message: error.description)
        }
        let name = JSONValue.string(container.name)
        return .error(message: "the probe of container \(name) has no exec, httpGet, tcpSocket or grpc")
    }
}

/// The `User-Agent` of requests to containers; servers tell probes apart by it.
enum ProbeUserAgent {
    static let probe = "kube-probe/1.36"
    static let lifecycle = "kube-lifecycle/1.36"
}
