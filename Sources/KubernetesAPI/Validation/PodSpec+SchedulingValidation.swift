extension PodSpec {
    /// Checks what the scheduler reads.
    func validateScheduling(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.labels(nodeSelector, at: path.child("nodeSelector"))
        for (index, toleration) in (tolerations ?? []).enumerated() {
            errors += toleration.validate(at: path.child("tolerations").index(index))
        }
        errors += affinity?.validate(at: path.child("affinity")) ?? []
        for (index, constraint) in (topologySpreadConstraints ?? []).enumerated() {
            errors += constraint.validate(at: path.child("topologySpreadConstraints").index(index))
        }
        for (index, gate) in (readinessGates ?? []).enumerated() {
            errors += FieldChecks.name(
                gate.conditionType, at: path.child("readinessGates").index(index).child("conditionType"),
                NameRules.qualifiedName)
        }
        var gates: Set<String> = []
        for (index, gate) in (schedulingGates ?? []).enumerated() {
            let path = path.child("schedulingGates").index(index)
            errors += FieldChecks.requiredName(gate.name, at: path.child("name"), NameRules.qualifiedName)
            if !gates.insert(gate.name).inserted { errors.append(.duplicate(path, gate.name)) }
        }
        return errors
    }
}

extension Toleration {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        let key = key ?? ""
        if !key.isEmpty { errors += FieldChecks.name(key, at: path.child("key"), NameRules.qualifiedName) }
        if key.isEmpty && `operator` != "Exists" {
            errors.append(
                .invalid(
                    path.child("operator"), `operator` ?? "",
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\""))
        }
        if tolerationSeconds != nil && effect != TaintEffect.noExecute.rawValue {
            errors.append(
                .invalid(
                    path.child("effect"), effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"))
        }
        switch `operator` ?? "" {
        case "", "Equal":
            errors += FieldChecks.name(value ?? "", at: path.child("operator"), NameRules.labelValue)
        case "Exists":
            if let value, !value.isEmpty {
                errors.append(
                    .invalid(path.child("operator"), value, "value must be empty when `operator` is 'Exists'"))
            }
        case "Lt", "Gt":
            if Int64(value ?? "") == nil {
                errors.append(
                    .invalid(
                        path.child("operator"), value ?? "", "value must be an integer when `operator` is Lt or Gt"))
            }
        case let other:
            errors.append(.notSupported(path.child("operator"), other, ["Equal", "Exists", "Gt", "Lt"]))
        }
        return errors + FieldChecks.vocabulary(effect, TaintEffect.self, at: path.child("effect"))
    }
}

extension TopologySpreadConstraint {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if maxSkew <= 0 { errors.append(.invalid(path.child("maxSkew"), maxSkew, "must be greater than zero")) }
        if topologyKey.isEmpty {
            errors.append(.required(path.child("topologyKey"), "can not be empty"))
        } else {
            errors += FieldChecks.name(topologyKey, at: path.child("topologyKey"), NameRules.qualifiedName)
        }
        let actions = ["DoNotSchedule", "ScheduleAnyway"]
        if !actions.contains(whenUnsatisfiable) {
            errors.append(.notSupported(path.child("whenUnsatisfiable"), whenUnsatisfiable, actions))
        }
        if let minDomains {
            if minDomains <= 0 {
                errors.append(.invalid(path.child("minDomains"), minDomains, "must be greater than zero"))
            }
            if whenUnsatisfiable == "ScheduleAnyway" {
                errors.append(
                    .invalid(
                        path.child("minDomains"), minDomains,
                        "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"))
            }
        }
        let policies = ["Honor", "Ignore"]
        errors += FieldChecks.vocabulary(nodeAffinityPolicy, policies, at: path.child("nodeAffinityPolicy"))
        errors += FieldChecks.vocabulary(nodeTaintsPolicy, policies, at: path.child("nodeTaintsPolicy"))
        return errors
    }
}

extension Affinity {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors = nodeAffinity?.validate(at: path.child("nodeAffinity")) ?? []
        if let podAffinity {
            errors += PodAffinityTerm.validate(
                required: podAffinity.requiredDuringSchedulingIgnoredDuringExecution,
                preferred: podAffinity.preferredDuringSchedulingIgnoredDuringExecution,
                at: path.child("podAffinity"))
        }
        if let podAntiAffinity {
            errors += PodAffinityTerm.validate(
                required: podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution,
                preferred: podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution,
                at: path.child("podAntiAffinity"))
        }
        return errors
    }
}

private let requiredField = "requiredDuringSchedulingIgnoredDuringExecution"
private let preferredField = "preferredDuringSchedulingIgnoredDuringExecution"

extension NodeAffinity {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if let required = requiredDuringSchedulingIgnoredDuringExecution {
            let termsPath = path.child(requiredField).child("nodeSelectorTerms")
            if required.nodeSelectorTerms.isEmpty {
                errors.append(.required(termsPath, "must have at least one node selector term"))
            }
            for (index, term) in required.nodeSelectorTerms.enumerated() {
                errors += term.validate(at: termsPath.index(index))
            }
        }
        for (index, term) in (preferredDuringSchedulingIgnoredDuringExecution ?? []).enumerated() {
            let path = path.child(preferredField).index(index)
            errors += FieldChecks.weight(term.weight, at: path.child("weight"))
            errors += term.preference.validate(at: path.child("preference"))
        }
        return errors
    }
}

extension NodeSelectorTerm {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, requirement) in (matchExpressions ?? []).enumerated() {
            errors += requirement.validate(at: path.child("matchExpressions").index(index))
        }
        for (index, requirement) in (matchFields ?? []).enumerated() {
            let path = path.child("matchFields").index(index)
            errors += FieldChecks.vocabulary(requirement.operator, ["In", "NotIn"], at: path.child("operator"))
            if requirement.key != "metadata.name" {
                errors.append(.invalid(path.child("key"), requirement.key, "not a valid field selector key"))
            }
            if requirement.values?.count != 1 {
                errors.append(
                    .required(
                        path.child("values"),
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
            }
        }
        return errors
    }
}

extension NodeSelectorRequirement {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        let count = values?.count ?? 0
        switch `operator` {
        case "In", "NotIn":
            if count == 0 {
                errors.append(.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"))
            }
        case "Exists", "DoesNotExist":
            if count > 0 {
                errors.append(
                    .forbidden(
                        path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
            }
        case "Gt", "Lt":
            if count != 1 {
                errors.append(
                    .required(path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"))
            }
        case let other:
            errors.append(.invalid(path.child("operator"), other, "not a valid selector operator"))
        }
        return errors + FieldChecks.name(key, at: path.child("key"), NameRules.qualifiedName)
    }
}

extension PodAffinityTerm {
    static func validate(
        required: [PodAffinityTerm]?, preferred: [WeightedPodAffinityTerm]?, at path: FieldPath
    ) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, term) in (required ?? []).enumerated() {
            errors += term.validate(at: path.child(requiredField).index(index))
        }
        for (index, term) in (preferred ?? []).enumerated() {
            let path = path.child(preferredField).index(index)
            errors += FieldChecks.weight(term.weight, at: path.child("weight"))
            errors += term.podAffinityTerm.validate(at: path.child("podAffinityTerm"))
        }
        return errors
    }

    private func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for name in namespaces ?? [] {
            errors += FieldChecks.name(name, at: path.child("namespaces"), NameRules.dns1123Label)
        }
        if topologyKey.isEmpty {
            errors.append(.required(path.child("topologyKey"), "can not be empty"))
        } else {
            errors += FieldChecks.name(topologyKey, at: path.child("topologyKey"), NameRules.qualifiedName)
        }
        return errors
    }
}

extension FieldChecks {
    static func weight(_ weight: Int32, at path: FieldPath) -> [FieldError] {
        (1...100).contains(weight) ? [] : [.invalid(path, weight, "must be in the range 1-100")]
    }
}
