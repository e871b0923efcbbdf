extension Lease: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        let path = FieldPath("spec")
        if let seconds = spec.leaseDurationSeconds, seconds <= 0 {
            errors.append(.invalid(path.child("leaseDurationSeconds"), seconds, "must be greater than 0"))
        }
        errors += FieldChecks.notNegative(spec.leaseTransitions, at: path.child("leaseTransitions"))
        return errors
    }

    public func validateUpdate(old: Lease) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
    }
}
