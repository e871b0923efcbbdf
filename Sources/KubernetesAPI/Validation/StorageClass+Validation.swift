extension StorageClass: Validatable, Defaultable, UpdateValidatable {
    public mutating func applyDefaults() {
        if reclaimPolicy == nil { reclaimPolicy = "Delete" }
        if volumeBindingMode == nil { volumeBindingMode = "Immediate" }
    }

    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        if provisioner.isEmpty { errors.append(.required(FieldPath("provisioner"))) }
        errors += FieldChecks.vocabulary(reclaimPolicy, ["Delete", "Retain"], at: FieldPath("reclaimPolicy"))
        errors += FieldChecks.vocabulary(
            volumeBindingMode, ["Immediate", "WaitForFirstConsumer"], at: FieldPath("volumeBindingMode"))
        return errors
    }

    public func validateUpdate(old: StorageClass) -> [FieldError] {
        var errors: [FieldError] = []
        for (name, isSame) in [
            ("provisioner", provisioner == old.provisioner), ("parameters", parameters ?? [:] == old.parameters ?? [:]),
            ("reclaimPolicy", reclaimPolicy == old.reclaimPolicy),
            ("volumeBindingMode", volumeBindingMode == old.volumeBindingMode),
        ] where !isSame {
            errors.append(.forbidden(FieldPath(name), "updates to \(name) are forbidden."))
        }
        return errors
    }
}
