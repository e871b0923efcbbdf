internal import KubernetesAPI

/// Pods: status on creation, admission defaults, what an update may change, and graceful deletion.
struct PodStrategy: ResourceStrategy {
    /// Seconds a pod stays on a node that is not ready or unreachable, unless it says otherwise.
    static let defaultTolerationSeconds: Int64 = 300

    var hasStatus: Bool { true }
    var tracksGeneration: Bool { true }
    var returnsDeletedObject: Bool { true }

    static let selectableFields: [SelectableField] = [
        SelectableField("spec.nodeName"), SelectableField("spec.restartPolicy"), SelectableField("spec.schedulerName"),
        SelectableField("spec.serviceAccountName"), SelectableField("spec.hostNetwork", absent: "false"),
        SelectableField("status.phase"), SelectableField("status.podIP"),
        SelectableField("status.nominatedNodeName"),
    ]

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = ["phase": "Pending"]
        guard object["spec"]?.objectValue != nil else { return }
        let namespace = object.string("metadata", "namespace")
        if !ServiceAccountAdmission.isMirror(object) { applyLimitRanges(&object, namespace, context) }
        object.set(.string(PodQualityOfService.of(object).rawValue), at: "status", "qosClass")
        try ServiceAccountAdmission(account: { name in
            let id = ResourceID(group: "", plural: "serviceaccounts")
            return context.store.get(ObjectKey(resource: id, namespace: namespace, name: name))?.value
        }).admit(&object)
        let classes = context.store.list(ResourceID(group: "scheduling.k8s.io", plural: "priorityclasses"))
        try PriorityAdmission.admit(&object, classes: classes.objects.map(\.value))
        addDefaultTolerations(&object)
    }

    private func applyLimitRanges(_ object: inout JSONValue, _ namespace: String, _ context: StrategyContext) {
        let id = ResourceID(group: "", plural: "limitranges")
        let ranges = context.store.list(id, namespace: namespace).objects.compactMap {
            try? JSONValueDecoder().decode(LimitRange.self, from: $0.value)
        }
        if !ranges.isEmpty { LimitRangeAdmission(ranges).applyDefaults(to: &object) }
    }

    /// A pod that says nothing about a failed node leaves it after five minutes rather than at once.
    private func addDefaultTolerations(_ object: inout JSONValue) {
        var tolerations = object.list("spec", "tolerations")
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            let isTolerated = tolerations.contains { toleration in
                let ownKey = toleration.string("key")
                let effect = toleration.string("effect")
                return (ownKey == key || ownKey.isEmpty) && (effect == "NoExecute" || effect.isEmpty)
            }
            if isTolerated { continue }
            tolerations.append([
                "key": .string(key), "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": .integer(Self.defaultTolerationSeconds),
            ])
        }
        object.set(.array(tolerations), at: "spec", "tolerations")
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {
        // The quality of service is decided once; an agent that writes the status without it does not unset it.
        if let quality = old[path: "status", "qosClass"], object["status"]?.objectValue != nil {
            object.set(quality, at: "status", "qosClass")
        }
    }

    func deletion(of object: JSONValue, requestedGraceSeconds: Int64?) -> DeletionPlan {
        let phase = object.string("status", "phase")
        if object.string("spec", "nodeName").isEmpty || phase == "Succeeded" || phase == "Failed" { return .immediate }
        var grace = requestedGraceSeconds ?? object[path: "spec", "terminationGracePeriodSeconds"]?.intValue ?? 30
        if grace < 0 { grace = 1 }
        return grace == 0 ? .immediate : .graceful(seconds: grace)
    }
}

/// The class that decides who is evicted first.
enum PodQualityOfService: String, Sendable {
    case guaranteed = "Guaranteed"
    case burstable = "Burstable"
    case bestEffort = "BestEffort"

    /// Guaranteed: every container limits CPU and memory and requests as much. Best effort: none asks for any.
    static func of(_ pod: JSONValue) -> PodQualityOfService {
        let containers = pod.list("spec", "containers") + pod.list("spec", "initContainers")
        var asksForAny = false
        var isGuaranteed = !containers.isEmpty
        for container in containers {
            for resource in ["cpu", "memory"] {
                let limit = quantity(container[path: "resources", "limits", resource])
                let request = quantity(container[path: "resources", "requests", resource]) ?? limit
                if limit != nil || request != nil { asksForAny = true }
                if limit == nil || request != limit { isGuaranteed = false }
            }
        }
        return asksForAny ? (isGuaranteed ? .guaranteed : .burstable) : .bestEffort
    }

    /// Zero counts as not given.
    private static func quantity(_ value: JSONValue?) -> Quantity? {
        let text: String
        switch value {
        case .string(let given)?: text = given
        case .integer(let number)?: text = String(number)
        case .double(let number)?: text = String(number)
        case nil, .null?, .bool?, .array?, .object?: return nil
        }
        guard let quantity = try? Quantity(parsing: text), quantity.milliValue != 0 else { return nil }
        return quantity
    }
}
