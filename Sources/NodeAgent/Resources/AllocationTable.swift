import KubernetesAPI

/// What the node has promised to which pod, and which pods wait for more. Pure.
struct AllocationTable {
    private struct Waiting {
        var desired: Pod
        /// Asked first, served first among equals.
        var turn: UInt64
        var verdict: ResizeVerdict
    }

    private var allocated: [String: Pod] = [:]
    private var waiting: [String: Waiting] = [:]
    private var turns: UInt64 = 0
    private var isOpen = false
    private let policy: ResourcePolicy

    init(policy: ResourcePolicy) {
        self.policy = policy
    }

    var pods: [Pod] { Array(allocated.values) }

    /// The node has taken a pod, or has found it there.
    mutating func add(_ pod: Pod) { allocated[pod.metadata.uid ?? ""] = pod }

    /// Nothing of the pod runs any more. Gives whether that frees anything.
    mutating func remove(_ uid: String) -> Bool {
        waiting[uid] = nil
        return allocated.removeValue(forKey: uid) != nil
    }

    /// Every pod that was on the node at the agent's start has been added: from now on requests are decided.
    mutating func open() { isOpen = true }

    /// The pod does not ask for more any longer.
    mutating func withdraw(_ uid: String) { waiting[uid] = nil }

    /// Asks for the resources of `desired`. What is granted is taken at once.
    mutating func request(_ desired: Pod, allocatable: [String: Quantity]) -> ResizeVerdict {
        let uid = desired.metadata.uid ?? ""
        if let held = allocated[uid], held.spec.resources == desired.spec.resources,
            ResizePlanner.changes(from: held.spec, to: desired.spec).isEmpty
        {
            waiting[uid] = nil
            return .granted
        }
        if waiting[uid]?.desired.spec != desired.spec {
            turns &+= 1
            waiting[uid] = Waiting(desired: desired, turn: waiting[uid]?.turn ?? turns, verdict: .undecided)
        }
        _ = review(allocatable: allocatable)
        return waiting[uid]?.verdict ?? .granted
    }

    /// Looks at all who wait, in order of rank, and grants what fits.
    ///
    /// - Returns: UIDs of the pods that are told something else than before.
    mutating func review(allocatable: [String: Quantity]) -> [String] {
        var told: [String] = []
        guard isOpen else { return told }
        for uid in waiting.keys.sorted(by: precedes) {
            guard let entry = waiting[uid], let pod = allocated[uid] else { continue }
            let others = allocated.filter { $0.key != uid }.values
            let verdict = ResizeAdmission.decide(
                pod, to: entry.desired, beside: others, allocatable: allocatable, policy: policy)
            if verdict == .granted {
                allocated[uid] = entry.desired
                waiting[uid] = nil
            } else {
                waiting[uid]?.verdict = verdict
            }
            if verdict != entry.verdict { told.append(uid) }
        }
        return told
    }

    /// Who asks for nothing more first, then by priority, class and age of the request.
    private func precedes(_ one: String, _ other: String) -> Bool {
        let (left, right) = (rank(one), rank(other))
        return left.lexicographicallyPrecedes(right)
    }

    private func rank(_ uid: String) -> [Int64] {
        guard let entry = waiting[uid] else { return [] }
        let wanted = ResourceAmounts(requestsOf: entry.desired.spec)
        let held = allocated[uid].map { ResourceAmounts(requestsOf: $0.spec) } ?? ResourceAmounts()
        let grows = wanted["cpu"] > held["cpu"] || wanted["memory"] > held["memory"]
        let quality: Int64 =
            switch entry.desired.qosClass {
            case .guaranteed: 0
            case .burstable: 1
            case .bestEffort: 2
            }
        return [grows ? 1 : 0, -Int64(entry.desired.spec.priority ?? 0), quality, Int64(clamping: entry.turn)]
    }
}
