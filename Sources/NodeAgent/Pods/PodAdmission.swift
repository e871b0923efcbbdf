public import KubernetesAPI

/// Whether this node takes a pod that was given to it. Pure.
///
/// Checks, reasons and messages are those of a Kubernetes node, in its order; the first that refuses decides. A refused
/// pod ends Failed and is never tried again.
///
/// Not looked at: devices, CPU and memory pinning. Room for a critical pod is made by ``CriticalPreemption``.
public enum PodAdmission {
    /// What admission has to know of the node.
    public struct NodeState: Sendable {
        /// Name, labels, taints and allocatable resources, as they are in the API or will be once registered.
        public var node: Node
        /// What the node is short of.
        public var pressures: Set<Pressure>
        /// Names of kernel parameters beyond the safe ones, or prefixes of names ending in `*`.
        public var allowedUnsafeSysctls: [String]
        var appArmor: AppArmorState

        init(
            node: Node, pressures: Set<Pressure> = [], allowedUnsafeSysctls: [String] = [],
            appArmor: AppArmorState = AppArmorState()
        ) {
            self.node = node
            self.pressures = pressures
            self.allowedUnsafeSysctls = allowedUnsafeSysctls
            self.appArmor = appArmor
        }
    }

    /// The node's conditions of scarcity, by name.
    public enum Pressure: String, CaseIterable, Sendable {
        case memory = "MemoryPressure"
        case disk = "DiskPressure"
        case pid = "PIDPressure"
    }

    /// - Parameters:
    ///   - others: the pods already admitted and not ended yet; the pod itself among them does not count.
    /// - Returns: nil when the node takes the pod.
    public static func decide(_ pod: Pod, on state: NodeState, beside others: [Pod]) -> PodRejection? {
        if let rejection = refusalUnderPressure(pod, state.pressures) { return rejection }
        if let rejection = refusalOfSysctls(pod.spec, allowedUnsafe: state.allowedUnsafeSysctls) { return rejection }
        if let rejection = refusalOfSystem(pod) { return rejection }
        var load = NodeLoad()
        for other in others where other.metadata.uid != pod.metadata.uid && !other.isTerminal { load.add(other.spec) }
        if let rejection = refusalOfResources(pod.spec, of: state.node, load) { return rejection }
        if let rejection = refusalOfPlace(pod, on: state.node, load) { return rejection }
        return refusalOfAppArmor(pod, state.appArmor)
    }

    static func refusal(_ reason: String, _ message: String) -> PodRejection {
        PodRejection(reason: reason, message: "Pod was rejected: " + message)
    }

    // MARK: The checks

    /// Under memory pressure only pods that promise nothing are kept away; without disk space or process ids every
    /// pod is.
    private static func refusalUnderPressure(_ pod: Pod, _ pressures: Set<Pressure>) -> PodRejection? {
        guard !pressures.isEmpty, !pod.isCritical else { return nil }
        if pressures == [.memory] {
            let taint = Taint(key: "node.kubernetes.io/memory-pressure", effect: TaintEffect.noSchedule.rawValue)
            if pod.qosClass != .bestEffort || TaintToleration.tolerates(pod.spec, taint) { return nil }
        }
        let names = Pressure.allCases.filter(pressures.contains).map(\.rawValue).joined(separator: " ")
        return refusal("Evicted", "The node had condition: [\(names)]. ")
    }

    private static func refusalOfSystem(_ pod: Pod) -> PodRejection? {
        if let system = pod.metadata.labels?["kubernetes.io/os"], system != "linux" {
            return refusal(
                "PodOSSelectorNodeLabelDoesNotMatch",
                "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label")
        }
        if let system = pod.spec.os?.name, system != "linux" {
            return refusal("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
        }
        return nil
    }

    private static func refusalOfPlace(_ pod: Pod, on node: Node, _ load: NodeLoad) -> PodRejection? {
        func predicate(_ name: String, _ description: String) -> PodRejection {
            refusal(name, "Predicate \(name) failed: \(description)")
        }
        if !NodeSelection.matches(pod.spec, node: node) {
            return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
        }
        if let name = pod.spec.nodeName, !name.isEmpty, name != node.metadata.name {
            return predicate("NodeName", "node(s) didn't match the requested node name")
        }
        if load.ports.conflicts(with: pod.spec) {
            return predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
        }
        // A taint that only keeps new pods away is the scheduler's business: this pod is here.
        if !pod.isStatic, TaintToleration.firstUntolerated(pod.spec, node: node, effects: [.noExecute]) != nil {
            return predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
        }
        return nil
    }
}

extension Pod {
    /// The priority from which a pod is never kept away or ended for lack of something.
    private static let criticalPriority: Int32 = 2_000_000_000

    /// Whether the node cannot do without the pod: of its own manifests, the mirror of such a pod, or of a system
    /// priority.
    public var isCritical: Bool {
        isStatic || mirroredHash != nil || spec.priority ?? 0 >= Self.criticalPriority
    }
}

extension PodRejection {
    /// The node's labels may have changed since its object was read: read it again and decide once more before the pod is refused
    /// for good.
    public var mayBeStale: Bool { reason == "NodeAffinity" }
}
