extension PersistentVolumeClaim: UpdateValidatable {
    /// A claim is what it was asked for as: only its volume, while it has none, and a class, while it names none, may come.
    public func validateUpdate(old: PersistentVolumeClaim) -> [FieldError] {
        var expected = old.spec
        if (old.spec.volumeName ?? "").isEmpty { expected.volumeName = spec.volumeName }
        if old.spec.storageClassName == nil { expected.storageClassName = spec.storageClassName }
        if spec == expected { return [] }
        return [
            .forbidden(
                FieldPath("spec"),
                "spec is immutable after creation except volumeName and storageClassName of a claim without")
        ]
    }
}

extension PersistentVolume: UpdateValidatable {
    /// What a volume stands for never changes: data would be elsewhere.
    public func validateUpdate(old: PersistentVolume) -> [FieldError] {
        if spec.sourceNames == old.spec.sourceNames, spec.hostPath == old.spec.hostPath, spec.local == old.spec.local {
            return []
        }
        return [
            .forbidden(
                FieldPath("spec", "persistentvolumesource"),
                "spec.persistentvolumesource is immutable after creation")
        ]
    }
}
