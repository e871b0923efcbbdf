import KubernetesAPI

/// Amounts of resources by name, in thousandths for `cpu` and whole units for everything else; sums saturate.
struct ResourceAmounts: Hashable, Sendable {
    private(set) var amounts: [String: Int64] = [:]

    init() {}

    init(_ quantities: [String: Quantity]) {
        for (name, quantity) in quantities {
            amounts[name] = name == "cpu" ? quantity.milliValue : quantity.value
        }
    }

    subscript(name: String) -> Int64 { amounts[name] ?? 0 }

    static func + (left: ResourceAmounts, right: ResourceAmounts) -> ResourceAmounts {
        var sum = left
        for (name, amount) in right.amounts { sum.amounts[name] = saturatingSum(sum[name], amount) }
        return sum
    }

    /// The larger amount of each resource.
    func maximum(_ other: ResourceAmounts) -> ResourceAmounts {
        var result = self
        for (name, amount) in other.amounts { result.amounts[name] = max(result[name], amount) }
        return result
    }

    /// These amounts, with the named ones of `other` in their place.
    func overridden(by other: ResourceAmounts) -> ResourceAmounts {
        var result = self
        for (name, amount) in other.amounts { result.amounts[name] = amount }
        return result
    }

    static func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? (right > 0 ? .max : .min) : sum
    }
}

extension ResourceAmounts {
    /// What a pod takes on a node: the larger of its running containers together and the peak of its initialisation,
    /// plus the overhead of its runtime class.
    init(requestsOf pod: PodSpec) {
        var running = pod.containers.reduce(ResourceAmounts()) { $0 + ResourceAmounts(requestsOf: $1.resources) }
        var sidecars = ResourceAmounts()
        var peak = ResourceAmounts()
        for container in pod.initContainers ?? [] {
            let request = ResourceAmounts(requestsOf: container.resources)
            if container.restartPolicy == "Always" {
                // A sidecar stays for as long as the pod, so it adds to everything that starts after it.
                sidecars = sidecars + request
                peak = peak.maximum(sidecars)
            } else {
                peak = peak.maximum(sidecars + request)
            }
        }
        running = (running + sidecars).maximum(peak)
        if let resources = pod.resources { running = running.overridden(by: ResourceAmounts(requestsOf: resources)) }
        self = running + ResourceAmounts(pod.overhead ?? [:])
    }

    /// Requests, with limits standing in where a request is missing.
    private init(requestsOf resources: ResourceRequirements?) {
        self = ResourceAmounts(resources?.limits ?? [:]).overridden(by: ResourceAmounts(resources?.requests ?? [:]))
    }
}
