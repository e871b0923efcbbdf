public import ContainerRuntime
public import KubernetesAPI
import LinuxKernel

/// Decides on pods by what the node knows of itself; what may be old it asks of the API once more.
public struct NodeAdmission: Sendable {
    private let reporter: NodeStatusReporter
    private let client: any NodeWriting
    private let pressures: @Sendable () -> Set<PodAdmission.Pressure>
    private let unsafeSysctls: @Sendable (Pod) -> [String]
    private let appArmor: AppArmorHost

    /// - Parameters:
    ///   - pressures: what the node is short of now: what the API shows of it is older.
    ///   - unsafeSysctls: kernel parameters beyond the safe ones that a pod may set.
    public init(
        reporter: NodeStatusReporter, client: any NodeWriting,
        pressures: @escaping @Sendable () -> Set<PodAdmission.Pressure>,
        unsafeSysctls: @escaping @Sendable (Pod) -> [String] = { _ in [] }, appArmor: AppArmorHost = AppArmorHost()
    ) {
        self.reporter = reporter
        self.client = client
        self.pressures = pressures
        self.unsafeSysctls = unsafeSysctls
        self.appArmor = appArmor
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
        PodAdmission.decide(
            pod,
            on: PodAdmission.NodeState(
                node: node, pressures: pressures(), allowedUnsafeSysctls: unsafeSysctls(pod),
                appArmor: AppArmorState(host: appArmor, of: pod)),
            beside: others)
    }
}
