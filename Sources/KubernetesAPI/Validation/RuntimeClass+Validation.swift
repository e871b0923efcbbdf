extension RuntimeClass: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.requiredName(handler, at: FieldPath("handler"), NameRules.dns1123Label)
        errors += FieldChecks.labels(scheduling?.nodeSelector, at: FieldPath("scheduling", "nodeSelector"))
        for (name, amount) in (overhead?.podFixed ?? [:]).sorted(by: { $0.key < $1.key }) where amount < .zero {
            errors.append(
                .invalid(
                    FieldPath("overhead", "podFixed").child(name), amount.description, FieldChecks.notNegative))
        }
        return errors
    }

    public func validateUpdate(old: RuntimeClass) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if handler != old.handler {
            errors.append(.invalid(FieldPath("handler"), handler, FieldChecks.immutable))
        }
        return errors
    }
}
