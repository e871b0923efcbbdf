extension ReplicationController: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        spec.replicas = spec.replicas ?? 1
        spec.template?.applyDefaults()
        guard let labels = spec.template?.metadata.labels, !labels.isEmpty else { return }
        if (spec.selector ?? [:]).isEmpty { spec.selector = labels }
        if (metadata.labels ?? [:]).isEmpty { metadata.labels = labels }
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.notNegative(spec.replicas, at: path.child("replicas"))
        errors += FieldChecks.notNegative(spec.minReadySeconds, at: path.child("minReadySeconds"))
        if (spec.selector ?? [:]).isEmpty { errors.append(.required(path.child("selector"))) }
        guard let template = spec.template else { return errors + [.required(path.child("template"))] }
        errors += template.validate(
            at: path.child("template"), selector: LabelSelector(matchLabels: spec.selector),
            restartPolicies: ["Always"])
        return errors
    }

    public func validateUpdate(old: ReplicationController) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
    }
}

extension PodTemplate: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() { template.applyDefaults() }

    public func validate() -> [FieldError] {
        metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
            + template.validate(
                at: FieldPath("template"), selector: nil, restartPolicies: RestartPolicy.allCases.map(\.rawValue))
    }

    public func validateUpdate(old: PodTemplate) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}
