import KubernetesAPI

/// Where a pending pod goes. Pure: everything it depends on is an argument.
///
/// Not looked at: inter-pod affinity, topology spread, volumes, resource claims and pre-emption.
enum SchedulingDecision: Hashable, Sendable {
    case bind(nodeName: String)
    /// No node takes the pod now; the message says why, node by node, in the words of the Kubernetes scheduler.
    case unschedulable(message: String)
    /// The pod asks not to be scheduled yet.
    case gated(gates: [String])
    /// Not this scheduler's to decide: bound, finished, being deleted, or another scheduler's.
    case notOurs

    static let schedulerName = "default-scheduler"

    /// - Parameters:
    ///   - pods: every pod known, with assignments not yet confirmed by the server filled in.
    static func decide(_ pod: Pod, nodes: [Node], pods: [Pod]) -> SchedulingDecision {
        guard isPending(pod) else { return .notOurs }
        if let gates = pod.spec.schedulingGates, !gates.isEmpty { return .gated(gates: gates.map(\.name)) }
        guard !nodes.isEmpty else { return .unschedulable(message: "no nodes available to schedule pods") }

        let loads = NodeLoad.byNode(pods.filter { $0.metadata.uid != pod.metadata.uid || pod.metadata.uid == nil })
        let request = ResourceAmounts(requestsOf: pod.spec)
        var best: (name: String, score: Score)?
        var reasons: [String: Int] = [:]
        for node in nodes {
            let name = node.metadata.name ?? ""
            let load = loads[name] ?? NodeLoad()
            let refusals = refusals(of: pod.spec, request: request, by: node, load: load)
            guard refusals.isEmpty else {
                for reason in refusals { reasons[reason, default: 0] += 1 }
                continue
            }
            let score = Score(pod.spec, request: request, node: node, load: load)
            guard let leader = best else {
                best = (name, score)
                continue
            }
            if leader.score < score || (leader.score == score && name < leader.name) { best = (name, score) }
        }
        if let best { return .bind(nodeName: best.name) }
        let details = reasons.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        return .unschedulable(message: "0/\(nodes.count) nodes are available: \(details).")
    }

    /// Whether the pod waits for this scheduler.
    static func isPending(_ pod: Pod) -> Bool {
        let scheduler = pod.spec.schedulerName ?? ""
        return (pod.spec.nodeName ?? "").isEmpty && pod.metadata.deletionTimestamp == nil && !isFinished(pod)
            && (scheduler.isEmpty || scheduler == schedulerName)
    }

    static func isFinished(_ pod: Pod) -> Bool {
        pod.status?.phase == "Succeeded" || pod.status?.phase == "Failed"
    }

    /// Why a node does not take the pod: the reasons of the first check that fails, empty when it takes it.
    private static func refusals(
        of pod: PodSpec, request: ResourceAmounts, by node: Node, load: NodeLoad
    ) -> [String] {
        let cordon = Taint(key: "node.kubernetes.io/unschedulable", effect: "NoSchedule")
        if node.spec.unschedulable == true, !TaintToleration.tolerates(pod, cordon) {
            return ["node(s) were unschedulable"]
        }
        if let condition = pressure(on: node, keepingAway: pod) {
            return ["node(s) had condition {\(condition): True}"]
        }
        if let taint = TaintToleration.firstUntolerated(pod, node: node) {
            return ["node(s) had untolerated taint {\(taint.key): \(taint.value ?? "")}"]
        }
        if !NodeSelection.matches(pod, node: node) {
            return ["node(s) didn't match Pod's node affinity/selector"]
        }
        if load.ports.conflicts(with: pod) {
            return ["node(s) didn't have free ports for the requested pod ports"]
        }
        let allocatable = ResourceAmounts(node.status?.allocatable ?? [:])
        var reasons: [String] = []
        if Int64(load.podCount) >= allocatable["pods"] { reasons.append("Too many pods") }
        for (name, amount) in request.amounts where amount > 0 {
            if ResourceAmounts.saturatingSum(load.requests[name], amount) > allocatable[name] {
                reasons.append("Insufficient \(name)")
            }
        }
        return reasons
    }
}

extension SchedulingDecision {
    /// What the node is short of, if that keeps the pod away: the node itself would refuse it, for good. Elsewhere a controller turns
    /// these conditions into taints; here they are looked at as they are.
    private static func pressure(on node: Node, keepingAway pod: PodSpec) -> String? {
        let names = [
            "MemoryPressure": "memory-pressure", "DiskPressure": "disk-pressure", "PIDPressure": "pid-pressure",
        ]
        for condition in node.status?.conditions ?? [] where condition.status == ConditionStatus.true.rawValue {
            guard let name = names[condition.type] else { continue }
            let taint = Taint(key: "node.kubernetes.io/" + name, effect: TaintEffect.noSchedule.rawValue)
            if TaintToleration.tolerates(pod, taint) { continue }
            // Memory that was asked for is set aside: only pods that promise nothing add to the scarcity.
            if condition.type == "MemoryPressure", Pod(spec: pod).qosClass != .bestEffort { continue }
            return condition.type
        }
        return nil
    }
}

extension NodeLoad {
    /// Finished pods take nothing.
    static func byNode(_ pods: [Pod]) -> [String: NodeLoad] {
        var loads: [String: NodeLoad] = [:]
        for pod in pods where !SchedulingDecision.isFinished(pod) {
            guard let node = pod.spec.nodeName, !node.isEmpty else { continue }
            loads[node, default: NodeLoad()].add(pod.spec)
        }
        return loads
    }
}

/// How well a node that takes the pod suits it: fewer unwanted taints, then preferences, then the most room left.
private struct Score: Comparable {
    private let taints: Int
    private let preference: Int64
    /// The smaller of the free shares of CPU and memory after the pod is placed.
    private let room: Double

    init(_ pod: PodSpec, request: ResourceAmounts, node: Node, load: NodeLoad) {
        taints = TaintToleration.untoleratedPreferences(pod, node: node)
        preference = NodeSelection.preference(pod, node: node)
        let allocatable = ResourceAmounts(node.status?.allocatable ?? [:])
        let shares = ["cpu", "memory"].map { name -> Double in
            let total = allocatable[name]
            guard total > 0 else { return 0 }
            return 1 - Double(ResourceAmounts.saturatingSum(load.requests[name], request[name])) / Double(total)
        }
        room = shares.min() ?? 0
    }

    static func < (left: Score, right: Score) -> Bool {
        if left.taints != right.taints { return left.taints > right.taints }
        if left.preference != right.preference { return left.preference < right.preference }
        return left.room < right.room
    }
}
