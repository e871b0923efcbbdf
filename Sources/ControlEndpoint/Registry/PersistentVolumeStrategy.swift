internal import KubernetesAPI

/// Claims and volumes: protected from deletion while they are used, with a status that controllers write.
struct PersistentVolumeStrategy: ResourceStrategy {
    /// Kept until nobody uses the object.
    let finalizer: String

    var hasStatus: Bool { true }
    var returnsDeletedObject: Bool { true }

    static let volumes = PersistentVolumeStrategy(finalizer: "kubernetes.io/pv-protection")
    static let claims = PersistentVolumeStrategy(finalizer: "kubernetes.io/pvc-protection")

    /// A claim's volume can be made larger only if its class says so.
    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {
        guard finalizer == Self.claims.finalizer, let wanted = Self.size(object), let before = Self.size(old),
            wanted > before
        else { return }
        let name = old.string("spec", "storageClassName")
        let key = ObjectKey(
            resource: ResourceID(group: StorageClass.definition.group, plural: StorageClass.definition.plural),
            namespace: "", name: name)
        guard context.store.get(key)?.part(["allowVolumeExpansion"]) != .bool(true) else { return }
        throw .forbidden(
            ResourceID(group: "", plural: "persistentvolumeclaims"), object.string("metadata", "name"),
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support "
                + "resize")
    }

    private static func size(_ claim: JSONValue) -> Quantity? {
        (claim[path: "spec", "resources", "requests", "storage"]?.stringValue).flatMap { try? Quantity(parsing: $0) }
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = ["phase": "Pending"]
        var metadata = object["metadata"] ?? [:]
        var finalizers = metadata["finalizers"]?.arrayValue ?? []
        if !finalizers.contains(.string(finalizer)) { finalizers.append(.string(finalizer)) }
        metadata["finalizers"] = .array(finalizers)
        object["metadata"] = metadata
        let isVolume = finalizer == Self.volumes.finalizer
        if isVolume, object["spec"]?["persistentVolumeReclaimPolicy"] == nil, object["spec"]?.objectValue != nil {
            object["spec"]?["persistentVolumeReclaimPolicy"] = "Retain"
        }
    }
}
