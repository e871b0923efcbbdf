extension PodTemplateSpec: Defaultable {
    public mutating func applyDefaults() { spec.applyDefaults() }

    /// - Parameters:
    ///   - selector: must select the pods the template makes.
    ///   - restartPolicies: those the workload can work with.
    func validate(at path: FieldPath, selector: LabelSelector?, restartPolicies: [String]) -> [FieldError] {
        var errors = FieldChecks.labels(metadata.labels, at: path.child("metadata", "labels"))
        if let chosen = try? selector?.selector(), !chosen.matches(metadata.labels ?? [:]) {
            let labels = JSONValue.object((metadata.labels ?? [:]).mapValues(JSONValue.string))
            errors.append(
                .invalid(path.child("metadata", "labels"), labels, "`selector` does not match template `labels`"))
        }
        errors += spec.validate(at: path.child("spec"))
        if let policy = spec.restartPolicy, !restartPolicies.contains(policy) {
            errors.append(.notSupported(path.child("spec", "restartPolicy"), policy, restartPolicies))
        }
        if spec.activeDeadlineSeconds != nil, restartPolicies == ["Always"] {
            errors.append(
                .forbidden(path.child("spec", "activeDeadlineSeconds"), "must not be set in a workload's template"))
        }
        if !(spec.ephemeralContainers ?? []).isEmpty {
            errors.append(
                .forbidden(
                    path.child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"))
        }
        return errors
    }
}

extension LabelSelector {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.labels(matchLabels, at: path.child("matchLabels"))
        for (index, expression) in (matchExpressions ?? []).enumerated() {
            let path = path.child("matchExpressions").index(index)
            let operators = ["In", "NotIn", "Exists", "DoesNotExist"]
            if !operators.contains(expression.operator) {
                errors.append(.notSupported(path.child("operator"), expression.operator, operators))
                continue
            }
            let hasValues = !(expression.values ?? []).isEmpty
            if expression.operator.hasSuffix("In"), !hasValues {
                errors.append(
                    .required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"))
            } else if expression.operator.hasSuffix("Exist") || expression.operator == "Exists", hasValues {
                errors.append(
                    .forbidden(
                        path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
            }
            errors += FieldChecks.name(expression.key, at: path.child("key"), NameRules.qualifiedName)
        }
        return errors
    }

    public var isEmpty: Bool { (matchLabels ?? [:]).isEmpty && (matchExpressions ?? []).isEmpty }

    /// The checks of the selector a workload requires.
    static func validateRequired(_ selector: LabelSelector?, at path: FieldPath) -> [FieldError] {
        guard let selector else { return [.required(path)] }
        if selector.isEmpty { return [.invalid(path, [:], "empty selector is invalid for this workload")] }
        return selector.validate(at: path)
    }
}
