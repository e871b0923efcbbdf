internal import KubernetesAPI

/// The tables of limits, quotas, priorities and budgets.
extension TableLayout {
    static let limitRanges = TableLayout(
        columns: [nameColumn, Column(name: "Created At", description: "When it was created.")]
    ) { range, _ in [name(range), .string(range.string("metadata", "creationTimestamp"))] }

    static let resourceQuotas = TableLayout(
        columns: [
            nameColumn, Column(name: "Request", description: "What is used of the requests and counts."),
            Column(name: "Limit", description: "What is used of the limits."), ageColumn,
        ]
    ) { quota, now in
        let hard = quota[path: "status", "hard"]?.objectValue ?? [:]
        func list(_ isLimit: Bool) -> JSONValue {
            let names = hard.keys.sorted().filter { $0.hasPrefix("limits.") == isLimit }
            return .string(
                names.map { name in
                    let used = text(quota[path: "status", "used", name])
                    return "\(name): \(used.isEmpty ? "0" : used)/\(text(hard[name]))"
                }.joined(separator: ", "))
        }
        return [name(quota), list(false), list(true), age(quota, now)]
    }

    static let priorityClasses = TableLayout(
        columns: [
            nameColumn, Column(name: "Value", type: "integer", description: "How important its pods are."),
            Column(name: "Global-Default", type: "boolean", description: "Whether pods without a class get it."),
            ageColumn,
            Column(name: "PreemptionPolicy", description: "Whether its pods push others aside."),
        ]
    ) { item, now in
        [
            name(item), item["value"] ?? 0, .bool(item["globalDefault"]?.boolValue == true), age(item, now),
            .string(item.string("preemptionPolicy")),
        ]
    }

    static let disruptionBudgets = TableLayout(
        columns: [
            nameColumn, Column(name: "Min Available", description: "Pods that stay."),
            Column(name: "Max Unavailable", description: "Pods that may be missing."),
            Column(name: "Allowed Disruptions", type: "integer", description: "Pods that may go now."), ageColumn,
        ]
    ) { budget, now in
        func bound(_ field: String) -> JSONValue {
            let value = text(budget[path: "spec", field])
            return .string(value.isEmpty ? "N/A" : value)
        }
        return [
            name(budget), bound("minAvailable"), bound("maxUnavailable"),
            budget[path: "status", "disruptionsAllowed"] ?? 0, age(budget, now),
        ]
    }

    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text)?: text
        case .integer(let number)?: String(number)
        case nil, .null?, .bool?, .double?, .array?, .object?: ""
        }
    }
}
