extension Job: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        // Without either number one pod that succeeds is the whole job.
        if spec.completions == nil, spec.parallelism == nil {
            spec.completions = 1
            spec.parallelism = 1
        }
        spec.parallelism = spec.parallelism ?? 1
        spec.backoffLimit = spec.backoffLimit ?? 6
        spec.completionMode = spec.completionMode.orDefault("NonIndexed")
        spec.suspend = spec.suspend ?? false
        spec.podReplacementPolicy = spec.podReplacementPolicy.orDefault("TerminatingOrFailed")
        spec.template.applyDefaults()
        if metadata.labels == nil { metadata.labels = spec.template.metadata.labels }
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.notNegative(spec.parallelism, at: path.child("parallelism"))
        errors += FieldChecks.notNegative(spec.completions, at: path.child("completions"))
        errors += FieldChecks.notNegative(spec.backoffLimit, at: path.child("backoffLimit"))
        errors += FieldChecks.notNegative(spec.activeDeadlineSeconds, at: path.child("activeDeadlineSeconds"))
        errors += FieldChecks.notNegative(spec.ttlSecondsAfterFinished, at: path.child("ttlSecondsAfterFinished"))
        if let mode = spec.completionMode, mode != "NonIndexed" {
            errors.append(.notSupported(path.child("completionMode"), mode, ["NonIndexed"]))
        }
        errors += FieldChecks.vocabulary(
            spec.podReplacementPolicy, ["Failed", "TerminatingOrFailed"], at: path.child("podReplacementPolicy"))
        errors += LabelSelector.validateRequired(spec.selector, at: path.child("selector"))
        errors += spec.template.validate(
            at: path.child("template"), selector: spec.selector, restartPolicies: ["Never", "OnFailure"])
        return errors
    }

    public func validateUpdate(old: Job) -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validateUpdate(old: old.metadata)
        errors += Deployment.immutableSelector(spec.selector, old: old.spec.selector)
        if spec.completions != old.spec.completions {
            errors.append(
                .invalid(
                    path.child("completions"), spec.completions.map { .integer(Int64($0)) } ?? .null,
                    FieldChecks.immutable))
        }
        if spec.template != old.spec.template {
            errors.append(.invalid(path.child("template"), .null, FieldChecks.immutable))
        }
        return errors
    }
}
