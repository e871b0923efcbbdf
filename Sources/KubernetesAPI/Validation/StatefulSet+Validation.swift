extension StatefulSet: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        spec.replicas = spec.replicas ?? 1
        spec.revisionHistoryLimit = spec.revisionHistoryLimit ?? 10
        spec.podManagementPolicy = spec.podManagementPolicy.orDefault("OrderedReady")
        var strategy = spec.updateStrategy ?? StatefulSetUpdateStrategy()
        strategy.type = strategy.type.orDefault("RollingUpdate")
        if strategy.type == "RollingUpdate" {
            var bounds = strategy.rollingUpdate ?? RollingUpdateStatefulSet()
            bounds.partition = bounds.partition ?? 0
            strategy.rollingUpdate = bounds
        }
        spec.updateStrategy = strategy
        var retention = spec.persistentVolumeClaimRetentionPolicy ?? StatefulSetClaimRetentionPolicy()
        retention.whenDeleted = retention.whenDeleted.orDefault("Retain")
        retention.whenScaled = retention.whenScaled.orDefault("Retain")
        spec.persistentVolumeClaimRetentionPolicy = retention
        for index in (spec.volumeClaimTemplates ?? []).indices {
            let mode = spec.volumeClaimTemplates?[index].spec.volumeMode
            spec.volumeClaimTemplates?[index].spec.volumeMode = mode.orDefault("Filesystem")
        }
        spec.template.applyDefaults()
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.notNegative(spec.replicas, at: path.child("replicas"))
        errors += FieldChecks.notNegative(spec.minReadySeconds, at: path.child("minReadySeconds"))
        errors += FieldChecks.notNegative(spec.revisionHistoryLimit, at: path.child("revisionHistoryLimit"))
        errors += FieldChecks.notNegative(spec.ordinals?.start, at: path.child("ordinals", "start"))
        errors += FieldChecks.vocabulary(
            spec.podManagementPolicy, ["OrderedReady", "Parallel"], at: path.child("podManagementPolicy"))
        errors += validateStrategy(at: path.child("updateStrategy"))
        let retention = spec.persistentVolumeClaimRetentionPolicy
        let retentionPath = path.child("persistentVolumeClaimRetentionPolicy")
        for (name, value) in [("whenDeleted", retention?.whenDeleted), ("whenScaled", retention?.whenScaled)] {
            errors += FieldChecks.vocabulary(value, ["Delete", "Retain"], at: retentionPath.child(name))
        }
        errors += LabelSelector.validateRequired(spec.selector, at: path.child("selector"))
        errors += spec.template.validate(
            at: path.child("template"), selector: spec.selector, restartPolicies: ["Always"])
        return errors
    }

    private func validateStrategy(at path: FieldPath) -> [FieldError] {
        guard let strategy = spec.updateStrategy else { return [] }
        let bounds = strategy.rollingUpdate
        var errors = FieldChecks.vocabulary(strategy.type, ["OnDelete", "RollingUpdate"], at: path.child("type"))
        if strategy.type == "OnDelete", bounds != nil {
            errors.append(
                .invalid(path.child("rollingUpdate"), [:], "only allowed for updateStrategy 'RollingUpdate'"))
        }
        errors += FieldChecks.notNegative(bounds?.partition, at: path.child("rollingUpdate", "partition"))
        errors += FieldChecks.countOrShare(bounds?.maxUnavailable, at: path.child("rollingUpdate", "maxUnavailable"))
        return errors
    }

    public func validateUpdate(old: StatefulSet) -> [FieldError] {
        var rest = spec
        rest.replicas = old.spec.replicas
        rest.ordinals = old.spec.ordinals
        rest.template = old.spec.template
        rest.updateStrategy = old.spec.updateStrategy
        rest.revisionHistoryLimit = old.spec.revisionHistoryLimit
        rest.persistentVolumeClaimRetentionPolicy = old.spec.persistentVolumeClaimRetentionPolicy
        rest.minReadySeconds = old.spec.minReadySeconds
        var errors = metadata.validateUpdate(old: old.metadata)
        if rest != old.spec {
            errors.append(
                .forbidden(
                    FieldPath("spec"),
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                        + "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                        + "'minReadySeconds' are forbidden"))
        }
        return errors
    }
}

extension FieldChecks {
    /// A number, or a share of a whole in percent.
    static func countOrShare(_ value: IntOrString?, at path: FieldPath) -> [FieldError] {
        switch value {
        case nil: return []
        case .int(let number)?: return notNegative(number, at: path)
        case .string(let text)?:
            guard value?.scaled(to: 100, roundUp: true) == nil else { return [] }
            return [
                .invalid(path, text, "a valid percent string must be a numeric string followed by an ending '%'")
            ]
        }
    }
}
