import ControlEndpoint
import KubernetesAPI
import LinuxKernel
import NodeAgent
import Synchronization

/// The endpoint's way to the usage of the node in the same process. The agent comes later than the endpoint.
final class NodeUsageSource: UsageMetricsSource {
    private let collector = Mutex<UsageCollector?>(nil)
    private let nodeName: String

    init(nodeName: String) { self.nodeName = nodeName }

    func attach(_ collector: UsageCollector) { self.collector.withLock { $0 = collector } }

    func nodeMetrics() async throws(UsageMetricsError) -> [NodeMetrics] {
        [try await sample().nodeMetrics(name: nodeName)].compactMap(\.self)
    }

    func podMetrics() async throws(UsageMetricsError) -> [PodMetrics] { try await sample().podMetrics() }

    private func sample() async throws(UsageMetricsError) -> UsageCollector.Sample {
        guard let collector = collector.withLock({ $0 }) else {
            throw UsageMetricsError("the node agent is starting")
        }
        return await collector.ratedSample(.cpuAndMemory)
    }
}
