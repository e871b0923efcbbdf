extension Deployment: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        spec.replicas = spec.replicas ?? 1
        spec.revisionHistoryLimit = spec.revisionHistoryLimit ?? 10
        spec.progressDeadlineSeconds = spec.progressDeadlineSeconds ?? 600
        var strategy = spec.strategy ?? DeploymentStrategy()
        strategy.type = strategy.type.orDefault("RollingUpdate")
        if strategy.type == "RollingUpdate" {
            var bounds = strategy.rollingUpdate ?? RollingUpdateDeployment()
            bounds.maxUnavailable = bounds.maxUnavailable ?? "25%"
            bounds.maxSurge = bounds.maxSurge ?? "25%"
            strategy.rollingUpdate = bounds
        }
        spec.strategy = strategy
        spec.template.applyDefaults()
        if metadata.labels == nil { metadata.labels = spec.template.metadata.labels }
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.notNegative(spec.replicas, at: path.child("replicas"))
        errors += FieldChecks.notNegative(spec.minReadySeconds, at: path.child("minReadySeconds"))
        errors += FieldChecks.notNegative(spec.revisionHistoryLimit, at: path.child("revisionHistoryLimit"))
        errors += FieldChecks.notNegative(spec.progressDeadlineSeconds, at: path.child("progressDeadlineSeconds"))
        if let deadline = spec.progressDeadlineSeconds, deadline <= spec.minReadySeconds ?? 0 {
            errors.append(
                .invalid(path.child("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds"))
        }
        errors += LabelSelector.validateRequired(spec.selector, at: path.child("selector"))
        errors += validateStrategy(at: path.child("strategy"))
        errors += spec.template.validate(
            at: path.child("template"), selector: spec.selector, restartPolicies: ["Always"])
        return errors
    }

    private func validateStrategy(at path: FieldPath) -> [FieldError] {
        let strategy = spec.strategy ?? DeploymentStrategy()
        switch strategy.type {
        case "Recreate"?:
            guard strategy.rollingUpdate != nil else { return [] }
            return [
                .forbidden(
                    path.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")
            ]
        case "RollingUpdate"?, nil: break
        case let other?: return [.notSupported(path.child("type"), other, ["Recreate", "RollingUpdate"])]
        }
        let path = path.child("rollingUpdate")
        let bounds = strategy.rollingUpdate ?? RollingUpdateDeployment()
        var errors = Self.validateBound(bounds.maxUnavailable, at: path.child("maxUnavailable"))
        errors += Self.validateBound(bounds.maxSurge, at: path.child("maxSurge"))
        if let unavailable = bounds.maxUnavailable?.scaled(to: 100, roundUp: true), unavailable > 100,
            case .string? = bounds.maxUnavailable
        {
            errors.append(.invalid(path.child("maxUnavailable"), "\(unavailable)%", "must not be greater than 100%"))
        }
        if errors.isEmpty, bounds.maxUnavailable?.scaled(to: 100, roundUp: true) == 0,
            bounds.maxSurge?.scaled(to: 100, roundUp: true) == 0
        {
            errors.append(.invalid(path.child("maxUnavailable"), 0, "may not be 0 when `maxSurge` is 0"))
        }
        return errors
    }

    private static func validateBound(_ value: IntOrString?, at path: FieldPath) -> [FieldError] {
        switch value {
        case nil: return []
        case .int(let number)?: return FieldChecks.notNegative(number, at: path)
        case .string(let text)?:
            guard value?.scaled(to: 100, roundUp: true) == nil else { return [] }
            return [
                .invalid(path, text, "a valid percent string must be a numeric string followed by an ending '%'")
            ]
        }
    }

    static func immutableSelector(_ selector: LabelSelector?, old: LabelSelector?) -> [FieldError] {
        guard selector != old else { return [] }
        let shown = (try? selector?.selector().description) ?? ""
        return [.invalid(FieldPath("spec", "selector"), shown, FieldChecks.immutable)]
    }

    public func validateUpdate(old: Deployment) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
            + Self.immutableSelector(spec.selector, old: old.spec.selector)
    }
}

extension IntOrString {
    /// The number itself, or the share of `whole` a percentage names; nil when the text is no percentage up to six digits.
    public func scaled(to whole: Int32, roundUp: Bool) -> Int32? {
        switch self {
        case .int(let number): return number
        case .string(let text):
            guard text.hasSuffix("%"), text.utf8.count <= 7, let share = Int64(text.dropLast()), share >= 0 else {
                return nil
            }
            let product = share * Int64(whole)
            return Int32(clamping: roundUp ? (product + 99) / 100 : product / 100)
        }
    }
}
