internal import KubernetesAPI

/// Claims and volumes: protected from deletion while they are used, with a status that controllers write.
struct PersistentVolumeStrategy: ResourceStrategy {
    /// Kept until nobody uses the object.
    let finalizer: String

    var hasStatus: Bool { true }
    var returnsDeletedObject: Bool { true }

    static let volumes = PersistentVolumeStrategy(finalizer: "kubernetes.io/pv-protection")
    static let claims = PersistentVolumeStrategy(finalizer: "kubernetes.io/pvc-protection")

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
