internal import KubernetesAPI
internal import Logging

/// What limit ranges and quotas say about the objects of their namespace. Where there are none, as in most namespaces,
/// none of this costs more than to see that.
extension ResourceOperations {
    static var pods: ResourceID { ResourceID(group: "", plural: "pods") }
    static var quotas: ResourceID { ResourceID(group: "", plural: "resourcequotas") }
    private static var limitRanges: ResourceID { ResourceID(group: "", plural: "limitranges") }
    private static var claims: ResourceID { ResourceID(group: "", plural: "persistentvolumeclaims") }
    private static var services: ResourceID { ResourceID(group: "", plural: "services") }
    private static var events: ResourceID { ResourceID(group: "", plural: "events") }

    /// Objects of a kind, read as their type; one that cannot be read does not count.
    func decoded<T: KubernetesResource>(_ type: T.Type, _ id: ResourceID, _ namespace: String) -> [T] {
        store.list(id, namespace: namespace).objects.compactMap { object in
            do { return try JSONValueDecoder().decode(type, from: object.value) } catch {
                logger.warning(
                    "stored object cannot be read", metadata: ["object": "\(object.key)", "reason": "\(error)"])
                return nil
            }
        }
    }

    /// Refuses what is out of the bounds of its namespace, or what its quotas have no room for.
    /// - Parameter current: what is replaced; nil for a new object.
    /// - Returns: the room that is kept until the object is stored; nil when nothing counts it.
    func admitToNamespace(
        _ value: JSONValue, over current: StoredObject?, _ resource: RegisteredResource, _ key: ObjectKey
    ) throws(APIStatusError) -> QuotaLedger.Reservation? {
        guard !key.namespace.isEmpty, resource.id != Self.events, Self.takesMore(value, over: current, resource.id)
        else {
            return nil
        }
        try checkLimitRanges(value, resource, key)
        let quotas = decoded(ResourceQuota.self, Self.quotas, key.namespace)
        guard !quotas.isEmpty else { return nil }
        let change = QuotaLedger.Change(key: key, old: current, value: value)
        return try quotaLedger.reserve(change, quotas: quotas, now: now) { counted(by: quotas, key.namespace) }
    }

    /// The same for a dry run, which keeps nothing.
    func checkAdmission(
        _ value: JSONValue, over current: StoredObject?, _ resource: RegisteredResource, _ key: ObjectKey
    ) throws(APIStatusError) {
        if let reservation = try admitToNamespace(value, over: current, resource, key) {
            quotaLedger.release(reservation)
        }
    }

    /// A new object does; of the others only pods, claims and services can grow.
    private static func takesMore(_ value: JSONValue, over current: StoredObject?, _ id: ResourceID) -> Bool {
        guard let current else { return true }
        switch id {
        case pods: return resources(of: current.value) != resources(of: value)
        case claims, services: return current.part(["spec"]) != value["spec"]
        default: return false
        }
    }

    private static func resources(of pod: JSONValue) -> [JSONValue?] {
        (pod.list("spec", "containers") + pod.list("spec", "initContainers")).map { $0["resources"] }
            + [pod[path: "spec", "resources"]]
    }

    private func checkLimitRanges(
        _ value: JSONValue, _ resource: RegisteredResource, _ key: ObjectKey
    ) throws(APIStatusError) {
        guard resource.id == Self.pods || resource.id == Self.claims else { return }
        let ranges = decoded(LimitRange.self, Self.limitRanges, key.namespace)
        guard !ranges.isEmpty, !ServiceAccountAdmission.isMirror(value) else { return }
        let admission = LimitRangeAdmission(ranges)
        var problems: [String] = []
        do {
            problems =
                resource.id == Self.pods
                ? admission.problems(of: try JSONValueDecoder().decode(Pod.self, from: value).spec)
                : admission.problems(of: try JSONValueDecoder().decode(PersistentVolumeClaim.self, from: value))
        } catch { throw .internalError("\(key) cannot be read: \(error)") }
        guard !problems.isEmpty else { return }
        let text = problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]"
        throw .forbidden(resource.id, key.name, text)
    }

    // MARK: Counting

    /// What is stored of the kinds that quotas look at, at one moment.
    func counted(by quotas: [ResourceQuota], _ namespace: String) -> [StoredObject] {
        var kinds: Set<ResourceID> = []
        for quota in quotas {
            for resource in registry.storedResources where resource.definition.namespaced && !resource.isReview {
                if Self.counts(resource.id, quota.spec.hard ?? [:]) { kinds.insert(resource.id) }
            }
        }
        return store.objects(of: kinds, inNamespace: namespace)
    }

    /// Whether a quota looks at a kind at all.
    private static func counts(_ id: ResourceID, _ hard: [String: Quantity]) -> Bool {
        if hard["count/\(id)"] != nil { return id != events }
        switch id {
        case pods:
            return hard.keys.contains { name in
                !name.hasPrefix("count/") && !name.hasPrefix("services") && !name.hasSuffix("requests.storage")
            }
        case services: return hard.keys.contains { $0.hasPrefix("services") }
        case claims:
            return hard.keys.contains { $0.hasSuffix("persistentvolumeclaims") || $0.hasSuffix("requests.storage") }
        default: return id.group.isEmpty && hard[id.plural] != nil
        }
    }
}
