internal import KubernetesAPI

/// The tables of the workloads that are kept for controllers of others.
extension TableLayout {
    static let statefulSets = TableLayout(
        columns: [
            nameColumn, Column(name: "Ready", description: "Ready pods of those wanted."), ageColumn,
        ] + wideColumns.dropLast()
    ) { object, now in
        [
            name(object), .string("\(count(object, "status", "readyReplicas"))/\(count(object, "spec", "replicas"))"),
            age(object, now),
        ] + wideCells(object).dropLast()
    }

    static let daemonSets = TableLayout(
        columns: [
            nameColumn, Column(name: "Desired", type: "integer", description: "Nodes that should run a pod."),
            Column(name: "Current", type: "integer", description: "Nodes that run one."),
            Column(name: "Ready", type: "integer", description: "Nodes whose pod is ready."),
            Column(name: "Up-to-date", type: "integer", description: "Nodes with a pod of the present template."),
            Column(name: "Available", type: "integer", description: "Nodes whose pod has been ready long enough."),
            Column(name: "Node Selector", description: "The labels of the nodes."), ageColumn,
        ] + wideColumns
    ) { object, now in
        let counts = [
            "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
            "numberAvailable",
        ].map { JSONValue.integer(count(object, "status", $0)) }
        let selector = object.stringMap(at: "spec", "template", "spec", "nodeSelector")
        return [name(object)] + counts + [.string(labels(selector)), age(object, now)] + wideCells(object)
    }

    static let controllerRevisions = TableLayout(
        columns: [
            nameColumn, Column(name: "Controller", description: "Whose state it is."),
            Column(name: "Revision", type: "integer", description: "Its number."), ageColumn,
        ]
    ) { object, now in
        let owner = object.list("metadata", "ownerReferences").first { $0["controller"] == true }
        let group = owner?.string("apiVersion").split(separator: "/").dropLast().first.map { ".\($0)" } ?? ""
        let controller = owner.map { "\($0.string("kind").lowercased())\(group)/\($0.string("name"))" } ?? "<none>"
        return [name(object), .string(controller), .integer(count(object, "revision")), age(object, now)]
    }

    static let replicationControllers = TableLayout(
        columns: [
            nameColumn, Column(name: "Desired", type: "integer", description: "Pods wanted."),
            Column(name: "Current", type: "integer", description: "Pods there are."),
            Column(name: "Ready", type: "integer", description: "Pods that are ready."), ageColumn,
        ] + wideColumns
    ) { object, now in
        [
            name(object), .integer(count(object, "spec", "replicas")), .integer(count(object, "status", "replicas")),
            .integer(count(object, "status", "readyReplicas")), age(object, now),
        ] + wideCells(object).dropLast() + [.string(labels(object.stringMap(at: "spec", "selector")))]
    }

    static let podTemplates = TableLayout(
        columns: [
            nameColumn, Column(name: "Containers", description: "Names of the containers."),
            Column(name: "Images", description: "Images of the containers."),
            Column(name: "Pod Labels", description: "The labels of the pods."),
        ]
    ) { object, _ in
        let containers = object.list("template", "spec", "containers")
        return [
            name(object), .string(containers.map { $0.string("name") }.joined(separator: ",")),
            .string(containers.map { $0.string("image") }.joined(separator: ",")),
            .string(labels(object.stringMap(at: "template", "metadata", "labels"))),
        ]
    }

    static let cronJobs = TableLayout(
        columns: [
            nameColumn, Column(name: "Schedule", description: "When jobs are made."),
            Column(name: "Timezone", description: "Where the schedule's clock is."),
            Column(name: "Suspend", type: "boolean", description: "Whether no jobs are made."),
            Column(name: "Active", type: "integer", description: "Jobs that run now."),
            Column(name: "Last Schedule", description: "How long ago the last job was made."), ageColumn,
        ] + wideColumns
    ) { object, now in
        let last = object.string("status", "lastScheduleTime")
        let zone = object.string("spec", "timeZone")
        return [
            name(object), .string(object.string("spec", "schedule")), .string(zone.isEmpty ? "<none>" : zone),
            .string(object[path: "spec", "suspend"] == true ? "True" : "False"),
            .integer(Int64(object.list("status", "active").count)),
            .string(last.isEmpty ? "<none>" : HumanDuration.since(last, now: now)), age(object, now),
        ] + wideCells(object[path: "spec", "jobTemplate"] ?? [:])
    }

    static let horizontalPodAutoscalers = TableLayout(
        columns: [
            nameColumn, Column(name: "Reference", description: "The workload."),
            Column(name: "Targets", description: "Figures as they are, of what they should be."),
            Column(name: "MinPods", description: "Pods at least."),
            Column(name: "MaxPods", type: "integer", description: "Pods at most."),
            Column(name: "Replicas", type: "integer", description: "Pods there are."), ageColumn,
        ]
    ) { object, now in
        let target =
            "\(object.string("spec", "scaleTargetRef", "kind"))/"
            + object.string("spec", "scaleTargetRef", "name")
        let minimum = object[path: "spec", "minReplicas"]?.intValue.map(String.init) ?? "<unset>"
        return [
            name(object), .string(target), .string(targets(object)), .string(minimum),
            .integer(count(object, "spec", "maxReplicas")), .integer(count(object, "status", "currentReplicas")),
            age(object, now),
        ]
    }

    /// `cpu: <unknown>/80%`, one after the other.
    private static func targets(_ autoscaler: JSONValue) -> String {
        if let share = autoscaler[path: "spec", "targetCPUUtilizationPercentage"]?.intValue {
            let current = autoscaler[path: "status", "currentCPUUtilizationPercentage"]?.intValue
            return "cpu: \(current.map { "\($0)%" } ?? "<unknown>")/\(share)%"
        }
        let texts = autoscaler.list("spec", "metrics").prefix(2).enumerated().map { index, metric -> String in
            let type = metric.string("type")
            let member = type.prefix(1).lowercased() + type.dropFirst()
            let source = metric[member] ?? [:]
            let current = autoscaler.list("status", "currentMetrics").dropFirst(index).first?[member]?["current"]
            let name = source.string("name").isEmpty ? source.string("metric", "name") : source.string("name")
            let isNamed = type == "Resource" || type == "ContainerResource"
            return (isNamed ? "\(name): " : "") + "\(amount(current))/\(amount(source["target"]))"
        }
        if texts.isEmpty { return "<none>" }
        let more = autoscaler.list("spec", "metrics").count - texts.count
        return texts.joined(separator: ", ") + (more > 0 ? " + \(more) more..." : "")
    }

    private static func amount(_ value: JSONValue?) -> String {
        if let share = value?["averageUtilization"]?.intValue { return "\(share)%" }
        for (field, suffix) in [("averageValue", " (avg)"), ("value", "")] {
            if let text = value?.string(field), !text.isEmpty { return text + suffix }
        }
        return "<unknown>"
    }

    /// Labels as people write them.
    static func labels(_ labels: [String: String]) -> String {
        if labels.isEmpty { return "<none>" }
        return labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}
