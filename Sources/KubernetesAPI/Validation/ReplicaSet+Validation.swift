extension ReplicaSet: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        spec.replicas = spec.replicas ?? 1
        spec.template.applyDefaults()
        if metadata.labels == nil { metadata.labels = spec.template.metadata.labels }
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.notNegative(spec.replicas, at: path.child("replicas"))
        errors += FieldChecks.notNegative(spec.minReadySeconds, at: path.child("minReadySeconds"))
        errors += LabelSelector.validateRequired(spec.selector, at: path.child("selector"))
        errors += spec.template.validate(
            at: path.child("template"), selector: spec.selector, restartPolicies: ["Always"])
        return errors
    }

    public func validateUpdate(old: ReplicaSet) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
            + Deployment.immutableSelector(spec.selector, old: old.spec.selector)
    }
}
