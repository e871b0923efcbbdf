/// Amounts of resources by name, in thousandths for `cpu` and whole units for everything else; sums saturate.
public struct ResourceAmounts: Hashable, Sendable {
    public private(set) var amounts: [String: Int64] = [:]

    public init() {}

    public init(_ quantities: [String: Quantity]) {
        for (name, quantity) in quantities {
            amounts[name] = name == "cpu" ? quantity.milliValue : quantity.value
        }
    }

    public subscript(name: String) -> Int64 { amounts[name] ?? 0 }

    public static func + (left: ResourceAmounts, right: ResourceAmounts) -> ResourceAmounts {
        var sum = left
        for (name, amount) in right.amounts { sum.amounts[name] = saturatingSum(sum[name], amount) }
        return sum
    }

    public static func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? (right > 0 ? .max : .min) : sum
    }
}

extension ResourceAmounts {
    /// What a pod takes on a node, see ``PodSpec/totalRequests``; limits stand in where a request is missing.
    public init(requestsOf pod: PodSpec) {
        var pod = pod
        pod.applyResourceDefaults()
        self.init(pod.totalRequests)
    }
}
