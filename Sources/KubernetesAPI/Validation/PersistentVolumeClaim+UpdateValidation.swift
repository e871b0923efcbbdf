extension PersistentVolumeClaim: UpdateValidatable {
    /// A claim is what it was asked for as: only its volume, while it has none, and a class, while it names none, may come; one that
    /// has its volume may ask for another size, of no less than it has.
    public func validateUpdate(old: PersistentVolumeClaim) -> [FieldError] {
        var expected = old.spec
        if (old.spec.volumeName ?? "").isEmpty { expected.volumeName = spec.volumeName }
        if old.spec.storageClassName == nil { expected.storageClassName = spec.storageClassName }
        let size = FieldPath("spec", "resources", "requests").key("storage")
        if old.phase == "Bound", let wanted = spec.resources?.requests?["storage"],
            let before = old.spec.resources?.requests?["storage"], wanted != before
        {
            if wanted < before, wanted < old.capacity ?? before {
                return [.forbidden(size, "field can not be less than status.capacity")]
            }
            expected.resources?.requests?["storage"] = wanted
        }
        if spec == expected { return [] }
        return [
            .forbidden(
                FieldPath("spec"),
                "spec is immutable after creation except volumeName and storageClassName of a claim without, and "
                    + "resources.requests for bound claims")
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
