extension DaemonSet: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        spec.revisionHistoryLimit = spec.revisionHistoryLimit ?? 10
        var strategy = spec.updateStrategy ?? DaemonSetUpdateStrategy()
        strategy.type = strategy.type.orDefault("RollingUpdate")
        if strategy.type == "RollingUpdate" {
            var bounds = strategy.rollingUpdate ?? RollingUpdateDaemonSet()
            bounds.maxUnavailable = bounds.maxUnavailable ?? 1
            bounds.maxSurge = bounds.maxSurge ?? 0
            strategy.rollingUpdate = bounds
        }
        spec.updateStrategy = strategy
        spec.template.applyDefaults()
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.notNegative(spec.minReadySeconds, at: path.child("minReadySeconds"))
        errors += FieldChecks.notNegative(spec.revisionHistoryLimit, at: path.child("revisionHistoryLimit"))
        errors += validateStrategy(at: path.child("updateStrategy"))
        errors += LabelSelector.validateRequired(spec.selector, at: path.child("selector"))
        errors += spec.template.validate(
            at: path.child("template"), selector: spec.selector, restartPolicies: ["Always"])
        return errors
    }

    private func validateStrategy(at path: FieldPath) -> [FieldError] {
        guard let strategy = spec.updateStrategy else { return [] }
        var errors = FieldChecks.vocabulary(strategy.type, ["OnDelete", "RollingUpdate"], at: path.child("type"))
        guard strategy.type == "RollingUpdate" else { return errors }
        let path = path.child("rollingUpdate")
        let bounds = strategy.rollingUpdate ?? RollingUpdateDaemonSet()
        errors += FieldChecks.countOrShare(bounds.maxUnavailable, at: path.child("maxUnavailable"))
        errors += FieldChecks.countOrShare(bounds.maxSurge, at: path.child("maxSurge"))
        let unavailable = bounds.maxUnavailable?.scaled(to: 100, roundUp: true) ?? 0
        let surge = bounds.maxSurge?.scaled(to: 100, roundUp: true) ?? 0
        if unavailable > 0, surge > 0 {
            errors.append(.invalid(path.child("maxSurge"), surge, "may not be set when maxUnavailable is non-zero"))
        } else if unavailable == 0, surge == 0 {
            errors.append(.required(path.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"))
        }
        return errors
    }

    public func validateUpdate(old: DaemonSet) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
            + Deployment.immutableSelector(spec.selector, old: old.spec.selector)
    }
}

extension ControllerRevision: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        if data == nil || data == .null { errors.append(.required(FieldPath("data"), "data is mandatory")) }
        errors += FieldChecks.notNegative(revision, at: FieldPath("revision"))
        return errors
    }

    public func validateUpdate(old: ControllerRevision) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if data != old.data { errors.append(.invalid(FieldPath("data"), .null, FieldChecks.immutable)) }
        return errors
    }
}
