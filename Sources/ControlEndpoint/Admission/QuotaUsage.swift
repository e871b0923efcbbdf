internal import KubernetesAPI

/// What objects take of the quotas of their namespace.
enum QuotaUsage {
    /// Kinds with a count of their own name; any kind is counted as `count/<plural>.<group>`.
    private static let counted: Set<String> = [
        "pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "resourcequotas",
        "replicationcontrollers",
    ]
    private static let computeResources = ["cpu", "memory", "ephemeral-storage"]
    /// What every container has to say when a quota counts it.
    private static let demanded: [(name: String, place: String, resource: String)] = [
        ("cpu", "requests", "cpu"), ("memory", "requests", "memory"), ("requests.cpu", "requests", "cpu"),
        ("requests.memory", "requests", "memory"), ("limits.cpu", "limits", "cpu"),
        ("limits.memory", "limits", "memory"),
    ]

    // MARK: Amounts

    /// By resource name.
    static func of(_ object: JSONValue, _ resource: ResourceID, now: Timestamp) -> [String: Quantity] {
        var usage: [String: Quantity] = ["count/\(resource)": .count(1)]
        guard resource.group.isEmpty else { return usage }
        switch resource.plural {
        case "pods": addPod(object, now, &usage)
        case "services": addService(object, &usage)
        case "persistentvolumeclaims": addClaim(object, &usage)
        case let plural: if counted.contains(plural) { usage[plural] = .count(1) }
        }
        return usage
    }

    private static func addService(_ service: JSONValue, _ usage: inout [String: Quantity]) {
        usage["services"] = .count(1)
        let type = service.string("spec", "type")
        if type == "LoadBalancer" { usage["services.loadbalancers"] = .count(1) }
        let hasPorts = service[path: "spec", "allocateLoadBalancerNodePorts"]?.boolValue ?? true
        if type == "NodePort" || (type == "LoadBalancer" && hasPorts) {
            usage["services.nodeports"] = .count(Int64(service.list("spec", "ports").count))
        }
    }

    private static func addClaim(_ claim: JSONValue, _ usage: inout [String: Quantity]) {
        usage["persistentvolumeclaims"] = .count(1)
        let storage = try? Quantity(parsing: claim.string("spec", "resources", "requests", "storage"))
        if let storage { usage["requests.storage"] = storage }
        let storageClass = claim.string("spec", "storageClassName")
        guard !storageClass.isEmpty else { return }
        let prefix = "\(storageClass).storageclass.storage.k8s.io/"
        usage[prefix + "persistentvolumeclaims"] = .count(1)
        if let storage { usage[prefix + "requests.storage"] = storage }
    }

    /// A pod that has ended takes nothing but its place in the store.
    private static func addPod(_ pod: JSONValue, _ now: Timestamp, _ usage: inout [String: Quantity]) {
        guard !isOver(pod, now),
            let spec = pod["spec"].flatMap({ try? JSONValueDecoder().decode(PodSpec.self, from: $0) })
        else { return }
        usage["pods"] = .count(1)
        let requests = spec.totalRequests
        for (name, amount) in requests {
            usage["requests.\(name)"] = amount
            if name.hasPrefix("hugepages-") { usage[name] = amount }
        }
        for name in computeResources { usage[name] = requests[name] }
        let limits = spec.totalLimits
        for name in computeResources { usage["limits.\(name)"] = limits[name] }
    }

    /// Whether a pod has ended, or should have: one that nobody ends any more does not hold its place for ever.
    static func isOver(_ pod: JSONValue, _ now: Timestamp) -> Bool {
        let phase = pod.string("status", "phase")
        if phase == "Succeeded" || phase == "Failed" { return true }
        guard let due = Timestamp(rfc3339: pod.string("metadata", "deletionTimestamp")),
            let grace = pod[path: "metadata", "deletionGracePeriodSeconds"]?.intValue
        else { return false }
        // Kubernetes adds the grace once more to a time that has it already.
        let (end, overflow) = due.seconds.addingReportingOverflow(grace)
        return !overflow && now.seconds > end
    }

    /// What a change takes more than what it replaces, of what a quota counts.
    static func increase(_ change: QuotaLedger.Change, in quota: ResourceQuota, now: Timestamp) -> [String: Quantity] {
        let resource = change.key.resource
        let hard = quota.spec.hard ?? [:]
        func amounts(_ object: JSONValue?) -> [String: Quantity] {
            guard let object, isInScope(object, resource, quota.spec) else { return [:] }
            return of(object, resource, now: now).filter { hard[$0.key] != nil }
        }
        let before = amounts(change.old?.value)
        return amounts(change.value).reduce(into: [:]) { increase, item in
            let more = item.value - (before[item.key] ?? .zero)
            if more > .zero { increase[item.key] = more }
        }
    }

    // MARK: Scopes

    static func isInScope(_ object: JSONValue, _ resource: ResourceID, _ quota: ResourceQuotaSpec) -> Bool {
        let demands = quota.demands
        guard !demands.isEmpty else { return true }
        guard resource == ResourceID(group: "", plural: "pods") else { return false }
        return demands.allSatisfy { demand in
            switch demand.scopeName {
            case "Terminating": (object[path: "spec", "activeDeadlineSeconds"]?.intValue ?? -1) >= 0
            case "NotTerminating": (object[path: "spec", "activeDeadlineSeconds"]?.intValue ?? -1) < 0
            case "BestEffort": PodQualityOfService.of(object) == .bestEffort
            case "NotBestEffort": PodQualityOfService.of(object) != .bestEffort
            case "PriorityClass": matches(object.string("spec", "priorityClassName"), demand)
            case "CrossNamespacePodAffinity": reachesOtherNamespaces(object)
            default: false
            }
        }
    }

    private static func matches(_ name: String, _ demand: ScopedResourceSelectorRequirement) -> Bool {
        let isNamed = demand.values?.contains(name) ?? false
        return switch demand.operator {
        case "In": !name.isEmpty && isNamed
        case "NotIn": name.isEmpty || !isNamed
        case "Exists": !name.isEmpty
        case "DoesNotExist": name.isEmpty
        default: false
        }
    }

    private static func reachesOtherNamespaces(_ pod: JSONValue) -> Bool {
        ["podAffinity", "podAntiAffinity"].contains { kind in
            let required = pod.list("spec", "affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution")
            let preferred = pod.list("spec", "affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution")
            return (required + preferred.compactMap { $0["podAffinityTerm"] }).contains { term in
                !term.list("namespaces").isEmpty || term["namespaceSelector"]?.objectValue != nil
            }
        }
    }

    // MARK: Refusals

    /// Why a change does not fit a quota; nil when it does.
    static func refusal(
        of change: QuotaLedger.Change, by quota: ResourceQuota, used: [String: Quantity], now: Timestamp
    ) -> String? {
        let (hard, name) = (quota.spec.hard ?? [:], quota.metadata.name ?? "")
        let resource = change.key.resource
        guard isInScope(change.value, resource, quota.spec) else { return nil }
        if resource == ResourceID(group: "", plural: "pods"), let missing = unspecified(change.value, hard) {
            return "failed quota: \(name): must specify \(missing)"
        }
        let requested = increase(change, in: quota, now: now)
        let exceeded = requested.keys.sorted().filter { name in
            (used[name] ?? .zero) + (requested[name] ?? .zero) > (hard[name] ?? .zero)
        }
        guard !exceeded.isEmpty else { return nil }
        func list(_ amounts: [String: Quantity]) -> String {
            exceeded.map { "\($0)=\(amounts[$0] ?? .zero)" }.joined(separator: ",")
        }
        return "exceeded quota: \(name), requested: \(list(requested)), used: \(list(used)), limited: \(list(hard))"
    }

    /// What a quota counts has to be said by every container, or for the whole pod.
    private static func unspecified(_ pod: JSONValue, _ hard: [String: Quantity]) -> String? {
        let containers = pod.list("spec", "containers") + pod.list("spec", "initContainers")
        let missing = demanded.sorted { $0.name < $1.name }.compactMap { item -> String? in
            guard hard[item.name] != nil, pod[path: "spec", "resources", item.place, item.resource] == nil else {
                return nil
            }
            let silent = containers.filter { $0[path: "resources", item.place, item.resource] == nil }
            if silent.isEmpty { return nil }
            return "\(item.name) for: \(silent.map { $0.string("name") }.sorted().joined(separator: ","))"
        }
        return missing.isEmpty ? nil : missing.joined(separator: "; ")
    }
}

extension ResourceQuotaSpec {
    /// Scopes, however they are written: a pod has to meet all of them.
    var demands: [ScopedResourceSelectorRequirement] {
        (scopes ?? []).map { ScopedResourceSelectorRequirement(scopeName: $0, operator: "Exists") }
            + (scopeSelector?.matchExpressions ?? [])
    }
}
