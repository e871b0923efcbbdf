import KubernetesAPI

extension PodAdmission {
    /// The first resource of which too little is left: the number of pods, then CPU, memory, disk and the rest by name.
    /// The others it lacks come with it.
    static func refusalOfResources(_ pod: PodSpec, of node: Node, _ load: NodeLoad) -> PodRejection? {
        let lacks = lacks(pod, of: node, load)
        guard let first = lacks.first else { return nil }
        var rejection = refusal(
            "OutOf\(first.resource)",
            "Node didn't have enough resource: \(first.resource), requested: \(first.requested), used: \(first.used), "
                + "capacity: \(first.capacity)")
        rejection.shortages = lacks.map { ResourceShortage(resource: $0.resource, amount: $0.missing) }
        return rejection
    }

    private struct Lack {
        var resource: String
        var requested: Int64
        var used: Int64
        var capacity: Int64

        var missing: Int64 {
            let wanted = ResourceAmounts.saturatingSum(used, requested)
            let (missing, overflow) = wanted.subtractingReportingOverflow(capacity)
            return overflow ? .max : missing
        }
    }

    private static func lacks(_ pod: PodSpec, of node: Node, _ load: NodeLoad) -> [Lack] {
        let allocatable = ResourceAmounts(node.status?.allocatable ?? [:])
        let podCount = Int64(load.podCount)
        var lacks: [Lack] = []
        if podCount >= allocatable["pods"] {
            lacks.append(Lack(resource: "pods", requested: 1, used: podCount, capacity: allocatable["pods"]))
        }
        let requests = ResourceAmounts(requestsOf: pod)
        for name in order(requests.amounts.keys) {
            let requested = requests[name]
            // A resource of others that no one on this node hands out is the cluster's business.
            guard requested > 0, allocatable.amounts[name] != nil || !isExtended(name) else { continue }
            let used = load.requests[name]
            if ResourceAmounts.saturatingSum(used, requested) > allocatable[name] {
                lacks.append(Lack(resource: name, requested: requested, used: used, capacity: allocatable[name]))
            }
        }
        return lacks
    }

    private static func order(_ names: some Sequence<String>) -> [String] {
        let first = ["cpu", "memory", "ephemeral-storage"]
        let all = Set(names)
        // Only the node hands out disk space under this name; `storage` and the like are of volumes.
        return first.filter(all.contains)
            + all.filter { !first.contains($0) && (isExtended($0) || $0.utf8.starts(with: "hugepages-".utf8)) }.sorted()
    }

    /// Whether a resource belongs to neither Kubernetes nor the node: a name with a domain that is not Kubernetes' own.
    private static func isExtended(_ name: String) -> Bool {
        name.contains("/") && !name.contains("kubernetes.io/") && !name.hasPrefix("requests.")
    }
}
