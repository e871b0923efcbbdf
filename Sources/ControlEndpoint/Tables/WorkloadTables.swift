internal import KubernetesAPI

/// The tables of the workloads.
extension TableLayout {
    static let wideColumns = [
        Column(name: "Containers", description: "Names of the template's containers.", priority: 1),
        Column(name: "Images", description: "Images of the template's containers.", priority: 1),
        Column(name: "Selector", description: "The labels of the workload's pods.", priority: 1),
    ]

    static func wideCells(_ object: JSONValue) -> [JSONValue] {
        let containers = object.list("spec", "template", "spec", "containers")
        return [
            .string(containers.map { $0.string("name") }.joined(separator: ",")),
            .string(containers.map { $0.string("image") }.joined(separator: ",")),
            .string(selectorText(object[path: "spec", "selector"])),
        ]
    }

    /// A label selector as people write it; "" when it selects by nothing.
    static func selectorText(_ value: JSONValue?) -> String {
        guard let value, let selector = try? JSONValueDecoder().decode(LabelSelector.self, from: value) else {
            return ""
        }
        return (try? selector.selector().description) ?? ""
    }

    static func count(_ object: JSONValue, _ path: String...) -> Int64 {
        object[path: path]?.intValue ?? 0
    }

    static let deployments = TableLayout(
        columns: [
            nameColumn, Column(name: "Ready", description: "Ready pods of those wanted."),
            Column(name: "Up-to-date", description: "Pods of the present template."),
            Column(name: "Available", description: "Pods that have been ready long enough."), ageColumn,
        ] + wideColumns
    ) { object, now in
        [
            name(object), .string("\(count(object, "status", "readyReplicas"))/\(count(object, "spec", "replicas"))"),
            .string(String(count(object, "status", "updatedReplicas"))),
            .string(String(count(object, "status", "availableReplicas"))), age(object, now),
        ] + wideCells(object)
    }

    static let replicaSets = TableLayout(
        columns: [
            nameColumn, Column(name: "Desired", type: "integer", description: "Pods wanted."),
            Column(name: "Current", type: "integer", description: "Pods there are."),
            Column(name: "Ready", type: "integer", description: "Pods that are ready."), ageColumn,
        ] + wideColumns
    ) { object, now in
        [
            name(object), .integer(count(object, "spec", "replicas")), .integer(count(object, "status", "replicas")),
            .integer(count(object, "status", "readyReplicas")), age(object, now),
        ] + wideCells(object)
    }

    static let jobs = TableLayout(
        columns: [
            nameColumn, Column(name: "Status", description: "What the job does or how it ended."),
            Column(name: "Completions", description: "Pods that succeeded of those wanted."),
            Column(name: "Duration", description: "Time from the start to the end, or until now."), ageColumn,
        ] + wideColumns
    ) { object, now in
        let succeeded = count(object, "status", "succeeded")
        let completions: String
        if let wanted = object[path: "spec", "completions"]?.intValue {
            completions = "\(succeeded)/\(wanted)"
        } else {
            let parallelism = count(object, "spec", "parallelism")
            completions = parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
        }
        return [
            name(object), .string(jobStatus(object)), .string(completions), duration(object, now), age(object, now),
        ]
            + wideCells(object)
    }

    static let roles = TableLayout(
        columns: [nameColumn, Column(name: "Created At", description: "When the role was made.")]
    ) { object, _ in [name(object), .string(object.string("metadata", "creationTimestamp"))] }

    static let roleBindings = TableLayout(
        columns: [nameColumn, Column(name: "Role", description: "The role that is given."), ageColumn]
    ) { object, now in
        [
            name(object), .string("\(object.string("roleRef", "kind"))/\(object.string("roleRef", "name"))"),
            age(object, now),
        ]
    }

    private static func jobStatus(_ job: JSONValue) -> String {
        let held = Set(
            job.list("status", "conditions").filter { $0.string("status") == "True" }.map { $0.string("type") })
        for (condition, text) in [
            ("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended"),
            ("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "SuccessCriteriaMet"),
        ] where held.contains(condition) { return text }
        return job.string("metadata", "deletionTimestamp").isEmpty ? "Running" : "Terminating"
    }

    private static func duration(_ job: JSONValue, _ now: Timestamp) -> JSONValue {
        let start = job.string("status", "startTime")
        if start.isEmpty { return "" }
        let end = Timestamp(rfc3339: job.string("status", "completionTime")) ?? now
        return .string(HumanDuration.since(start, now: end))
    }
}
