public import KubernetesAPI
import LinuxKernel

/// Decides on pods by what the node knows of itself; what may be old it asks of the API once more.
public struct NodeAdmission: Sendable {
    private let reporter: NodeStatusReporter
    private let client: any NodeWriting
    private let unsafeSysctls: @Sendable (Pod) -> [String]
    /// Decided at boot.
    private let hasAppArmor = (try? FileSystem.readText("/sys/module/apparmor/parameters/enabled"))?.first == "Y"

    /// - Parameter unsafeSysctls: kernel parameters beyond the safe ones that a pod may set.
    public init(
        reporter: NodeStatusReporter, client: any NodeWriting,
        unsafeSysctls: @escaping @Sendable (Pod) -> [String] = { _ in [] }
    ) {
        self.reporter = reporter
        self.client = client
        self.unsafeSysctls = unsafeSysctls
    }

    /// - Parameter others: the pods taken before, without those that have ended.
    /// - Returns: nil when the node takes the pod.
    public func decide(_ pod: Pod, beside others: [Pod]) async -> PodRejection? {
        var node = reporter.node
        node.status?.allocatable = reporter.allocatable
        guard let rejection = decide(pod, node, others) else { return nil }
        guard rejection.mayBeStale, let newer = try? await client.node(named: node.metadata.name ?? "") else {
            return rejection
        }
        node.metadata = newer.metadata
        node.spec = newer.spec
        return decide(pod, node, others)
    }

    private func decide(_ pod: Pod, _ node: Node, _ others: [Pod]) -> PodRejection? {
        let conditions = node.status?.conditions ?? []
        let pressures = PodAdmission.Pressure.allCases.filter { pressure in
            conditions.contains { $0.type == pressure.rawValue && $0.status == ConditionStatus.true.rawValue }
        }
        return PodAdmission.decide(
            pod,
            on: PodAdmission.NodeState(
                node: node, pressures: Set(pressures), allowedUnsafeSysctls: unsafeSysctls(pod),
                hasAppArmor: hasAppArmor),
            beside: others)
    }
}
