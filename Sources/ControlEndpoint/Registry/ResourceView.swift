internal import KubernetesAPI

/// A kind that is kept in the form of another: the same objects under another group or version.
struct ResourceView: Sendable {
    /// The kind that keeps them.
    let storage: ResourceID
    private let shows: @Sendable (_ stored: JSONValue) -> JSONValue
    private let keeps: @Sendable (_ shown: JSONValue, _ old: JSONValue?) -> JSONValue

    init(
        storage: ResourceID, shows: @escaping @Sendable (JSONValue) -> JSONValue,
        keeps: @escaping @Sendable (JSONValue, JSONValue?) -> JSONValue
    ) {
        self.storage = storage
        self.shows = shows
        self.keeps = keeps
    }

    func shown(_ stored: JSONValue) -> JSONValue { shows(stored) }

    /// - Parameter old: what is stored so far, for what the view does not show.
    func kept(_ shown: JSONValue, over old: JSONValue?) -> JSONValue { keeps(shown, old) }

    func shown(_ object: StoredObject) -> StoredObject {
        StoredObject(
            key: object.key, uid: object.uid, resourceVersion: object.resourceVersion,
            json: shows(object.value).serialized(sortedKeys: true))
    }

    func shown(_ event: StoreEvent) -> StoreEvent {
        StoreEvent(kind: event.kind, object: shown(event.object), previous: event.previous.map { shown($0) })
    }

    func shown(_ snapshot: ResourceStore.Snapshot) -> ResourceStore.Snapshot {
        ResourceStore.Snapshot(
            objects: snapshot.objects.map { shown($0) }, resourceVersion: snapshot.resourceVersion)
    }

    /// Carries members over under other names; those that are absent stay so.
    fileprivate static func renamed(
        _ object: JSONValue, _ names: [(from: String, to: String)], as definition: ResourceDefinition
    ) -> JSONValue {
        var renamed = object
        for (from, _) in names { renamed[from] = nil }
        for (from, to) in names {
            if let value = object[from], !value.isNull { renamed[to] = value }
        }
        renamed["kind"] = .string(definition.kind)
        renamed["apiVersion"] = .string(definition.apiVersion)
        return renamed
    }
}

extension ResourceView {
    private static let eventNames: [(stored: String, shown: String)] = [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ]

    /// events.k8s.io shows the events of the core group.
    static let newEvent = ResourceView(
        storage: ResourceID(group: "", plural: Event.definition.plural),
        shows: { renamed($0, eventNames.map { ($0.stored, $0.shown) }, as: EventsEvent.definition) },
        keeps: { shown, _ in renamed(shown, eventNames.map { ($0.shown, $0.stored) }, as: Event.definition) })

    /// Version 1 of autoscaling shows one figure of version 2; the others stay as they are.
    static let firstAutoscaler = ResourceView(
        storage: ResourceID(
            group: HorizontalPodAutoscaler.definition.group, plural: HorizontalPodAutoscaler.definition.plural),
        shows: { stored in
            var shown = renamed(stored, [], as: HorizontalPodAutoscalerV1.definition)
            let share = stored.list("spec", "metrics").first(where: isProcessorTime)
            shown.set(nil, at: "spec", "metrics")
            shown.set(nil, at: "spec", "behavior")
            shown.set(
                share?[path: "resource", "target", "averageUtilization"], at: "spec", "targetCPUUtilizationPercentage")
            let current = stored.list("status", "currentMetrics").first(where: isProcessorTime)
            if shown["status"]?.objectValue != nil {
                shown.set(nil, at: "status", "currentMetrics")
                shown.set(nil, at: "status", "conditions")
                shown.set(
                    current?[path: "resource", "current", "averageUtilization"], at: "status",
                    "currentCPUUtilizationPercentage")
            }
            return shown
        },
        keeps: { shown, old in
            var kept = renamed(shown, [], as: HorizontalPodAutoscaler.definition)
            let share = shown[path: "spec", "targetCPUUtilizationPercentage"]
            kept.set(nil, at: "spec", "targetCPUUtilizationPercentage")
            var metrics = (old ?? [:]).list("spec", "metrics").filter { !isProcessorTime($0) }
            if let share = share?.intValue {
                let target: JSONValue = ["type": "Utilization", "averageUtilization": .integer(share)]
                metrics.insert(["type": "Resource", "resource": ["name": "cpu", "target": target]], at: 0)
            }
            if !metrics.isEmpty { kept.set(.array(metrics), at: "spec", "metrics") }
            if let behavior = old?[path: "spec", "behavior"] { kept.set(behavior, at: "spec", "behavior") }
            if shown["status"]?.objectValue != nil {
                kept.set(nil, at: "status", "currentCPUUtilizationPercentage")
                for field in ["currentMetrics", "conditions"] {
                    kept.set(old?[path: "status", field], at: "status", field)
                }
            }
            return kept
        })

    private static func isProcessorTime(_ metric: JSONValue) -> Bool {
        guard metric.string("type") == "Resource", metric.string("resource", "name") == "cpu" else { return false }
        return ["target", "current"].contains { metric[path: "resource", $0, "averageUtilization"] != nil }
    }
}
