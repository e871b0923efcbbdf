extension PodDisruptionBudget: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        let path = FieldPath("spec")
        if spec.minAvailable != nil, spec.maxUnavailable != nil {
            errors.append(
                .invalid(path, "", "minAvailable and maxUnavailable cannot be both set"))
        }
        for (name, bound) in [("minAvailable", spec.minAvailable), ("maxUnavailable", spec.maxUnavailable)] {
            guard let bound else { continue }
            // Of a hundred, so that a percentage shows itself.
            guard let number = bound.scaled(to: 100, roundUp: true), number >= 0 else {
                errors.append(
                    .invalid(path.child(name), bound.description, "must be a number not below 0 or a percentage"))
                continue
            }
            if case .string = bound, number > 100 {
                errors.append(.invalid(path.child(name), bound.description, "must not be greater than 100%"))
            }
        }
        if let selector = spec.selector, (try? selector.selector()) == nil {
            errors.append(.invalid(path.child("selector"), "", "is not a selector"))
        }
        errors += FieldChecks.vocabulary(
            spec.unhealthyPodEvictionPolicy, ["AlwaysAllow", "IfHealthyBudget"],
            at: path.child("unhealthyPodEvictionPolicy"))
        return errors
    }

    public func validateUpdate(old: PodDisruptionBudget) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
    }
}
