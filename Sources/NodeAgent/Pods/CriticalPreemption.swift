import KubernetesAPI

/// What a node lacks of one resource to take a pod.
public struct ResourceShortage: Hashable, Sendable {
    public var resource: String
    /// Thousandths of a core, or whole units.
    public var amount: Int64

    public init(resource: String, amount: Int64) {
        self.resource = resource
        self.amount = amount
    }
}

/// Which pods go to make room for one that the node cannot do without. Pure.
///
/// As few as possible of the better classes: what BestEffort pods can free is not taken from Burstable ones, and what these can
/// free not from Guaranteed ones. Within a class, the pod that comes nearest to what is still lacking goes first.
struct CriticalPreemption {
    private let preemptor: Pod
    private let shortages: [ResourceShortage]

    private init(_ preemptor: Pod, _ shortages: [ResourceShortage]) {
        self.preemptor = preemptor
        self.shortages = shortages
    }

    /// - Parameters:
    ///   - shortages: what is missing; each more than nothing.
    ///   - others: the pods on the node that may be ended.
    /// - Returns: nil when all that may go together would not make room.
    static func victims(for pod: Pod, lacking shortages: [ResourceShortage], among others: [Pod]) -> [Pod]? {
        let plan = CriticalPreemption(pod, shortages)
        let candidates = others.filter(plan.mayEnd).map(Candidate.init)
        func those(_ quality: PodQOSClass) -> [Candidate] { candidates.filter { $0.pod.qosClass == quality } }
        let (lowest, middle, highest) = (those(.bestEffort), those(.burstable), those(.guaranteed))
        guard rest(shortages, without: candidates).isEmpty,
            let guaranteed = nearest(highest, to: rest(shortages, without: lowest + middle)),
            let burstable = nearest(middle, to: rest(shortages, without: lowest + guaranteed)),
            let bestEffort = nearest(lowest, to: rest(shortages, without: burstable + guaranteed))
        else { return nil }
        return (bestEffort + burstable + guaranteed).map(\.pod)
    }

    /// Critical pods go for no other; of two that are not, the one with the lower priority.
    private func mayEnd(_ other: Pod) -> Bool {
        if preemptor.isCritical, !other.isCritical { return true }
        guard let mine = preemptor.spec.priority, let theirs = other.spec.priority else { return false }
        return mine > theirs
    }

    private struct Candidate {
        let pod: Pod
        let requests: ResourceAmounts

        init(_ pod: Pod) {
            self.pod = pod
            requests = ResourceAmounts(requestsOf: pod.spec)
        }

        func frees(_ resource: String) -> Int64 { resource == "pods" ? 1 : max(0, requests[resource]) }

        /// How much of what is lacking would still be: 0 when nothing would.
        func distance(to shortages: [ResourceShortage]) -> Double {
            shortages.reduce(0) { sum, shortage in
                let left = Double(max(0, shortage.amount - frees(shortage.resource))) / Double(shortage.amount)
                return sum + left * left
            }
        }

        /// Of two that are equally near, the one that loses less.
        func isSmaller(than other: Candidate) -> Bool {
            (requests["memory"], requests["cpu"]) < (other.requests["memory"], other.requests["cpu"])
        }
    }

    private static func rest(
        _ shortages: [ResourceShortage], without candidates: [Candidate]
    ) -> [ResourceShortage] {
        shortages.compactMap { shortage in
            let freed = candidates.reduce(0) { ResourceAmounts.saturatingSum($0, $1.frees(shortage.resource)) }
            // Both are positive.
            return freed < shortage.amount
                ? ResourceShortage(resource: shortage.resource, amount: shortage.amount - freed) : nil
        }
    }

    /// One after the other until nothing is lacking; nil when all are not enough.
    private static func nearest(_ candidates: [Candidate], to shortages: [ResourceShortage]) -> [Candidate]? {
        var (left, lacking, chosen) = (candidates, shortages, [Candidate]())
        while !lacking.isEmpty {
            guard
                let best = left.indices.min(by: { one, other in
                    let (near, far) = (left[one].distance(to: lacking), left[other].distance(to: lacking))
                    return near != far ? near < far : left[one].isSmaller(than: left[other])
                })
            else { return nil }
            let taken = left.remove(at: best)
            lacking = rest(lacking, without: [taken])
            chosen.append(taken)
        }
        return chosen
    }
}
