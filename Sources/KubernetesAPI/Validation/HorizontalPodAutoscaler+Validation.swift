extension HorizontalPodAutoscaler: Defaultable, Validatable, UpdateValidatable {
    /// Percent of the requested processor time, when nothing else is to be followed.
    private static let defaultUtilization: Int32 = 80

    public mutating func applyDefaults() {
        spec.minReplicas = spec.minReplicas ?? 1
        if (spec.metrics ?? []).isEmpty { spec.metrics = [.processorTime(Self.defaultUtilization)] }
        guard var behavior = spec.behavior else { return }
        behavior.scaleUp = Self.filled(behavior.scaleUp, window: 0, policies: [("Pods", 4), ("Percent", 100)])
        behavior.scaleDown = Self.filled(behavior.scaleDown, window: nil, policies: [("Percent", 100)])
        spec.behavior = behavior
    }

    private static func filled(
        _ rules: HPAScalingRules?, window: Int32?, policies: [(type: String, value: Int32)]
    ) -> HPAScalingRules {
        var rules = rules ?? HPAScalingRules()
        rules.selectPolicy = rules.selectPolicy.orDefault("Max")
        rules.stabilizationWindowSeconds = rules.stabilizationWindowSeconds ?? window
        rules.policies =
            rules.policies
            ?? policies.map { item in
                var policy = HPAScalingPolicy()
                (policy.type, policy.value, policy.periodSeconds) = (item.type, item.value, 15)
                return policy
            }
        return rules
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        let minimum = spec.minReplicas ?? 1
        if minimum < 1 {
            errors.append(.invalid(path.child("minReplicas"), minimum, "must be greater than or equal to 1"))
        }
        if spec.maxReplicas < 1 {
            errors.append(.invalid(path.child("maxReplicas"), spec.maxReplicas, "must be greater than 0"))
        }
        if spec.maxReplicas < minimum {
            errors.append(
                .invalid(
                    path.child("maxReplicas"), spec.maxReplicas, "must be greater than or equal to `minReplicas`"))
        }
        let target = path.child("scaleTargetRef")
        errors += FieldChecks.requiredName(spec.scaleTargetRef.kind, at: target.child("kind"), PolicyRule.roleName)
        errors += FieldChecks.requiredName(spec.scaleTargetRef.name, at: target.child("name"), PolicyRule.roleName)
        for (index, metric) in (spec.metrics ?? []).enumerated() {
            errors += metric.validate(at: path.child("metrics").index(index))
        }
        for (name, rules) in [("scaleUp", spec.behavior?.scaleUp), ("scaleDown", spec.behavior?.scaleDown)] {
            errors += rules?.validate(at: path.child("behavior", name)) ?? []
        }
        return errors
    }

    public func validateUpdate(old: HorizontalPodAutoscaler) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
    }
}

extension MetricSpec {
    private static let types = ["ContainerResource", "External", "Object", "Pods", "Resource"]

    /// The share of the requested processor time, in percent.
    public static func processorTime(_ percent: Int32) -> MetricSpec {
        var metric = MetricSpec()
        var source = ResourceMetricSource()
        (source.name, source.target.type) = ("cpu", "Utilization")
        source.target.averageUtilization = percent
        (metric.type, metric.resource) = ("Resource", source)
        return metric
    }

    fileprivate func validate(at path: FieldPath) -> [FieldError] {
        guard !type.isEmpty else { return [.required(path.child("type"), "must specify a metric source type")] }
        let given: [(String, String, MetricTarget?, name: String?)] = [
            ("Object", "object", object?.target, object?.metric.name),
            ("Pods", "pods", pods?.target, pods?.metric.name),
            ("Resource", "resource", resource?.target, resource?.name),
            ("ContainerResource", "containerResource", containerResource?.target, containerResource?.name),
            ("External", "external", external?.target, external?.metric.name),
        ]
        guard let own = given.first(where: { $0.0 == type }) else {
            return [.notSupported(path.child("type"), type, Self.types)]
        }
        guard let target = own.2 else {
            return [
                .required(path.child(own.1), "must populate information for the given metric source")
            ]
        }
        let path = path.child(own.1)
        var errors = given.filter { $0.0 != type && $0.2 != nil }.map { other in
            FieldError.forbidden(path.child(other.1), "must populate the given metric source only")
        }
        if (own.name ?? "").isEmpty {
            errors.append(.required(path.child("name"), "must specify a metric name"))
        }
        return errors + target.validate(at: path.child("target"))
    }
}

extension MetricTarget {
    fileprivate func validate(at path: FieldPath) -> [FieldError] {
        guard !type.isEmpty else {
            return [.required(path.child("type"), "must specify a metric target type")]
        }
        var errors = FieldChecks.vocabulary(type, ["AverageValue", "Utilization", "Value"], at: path.child("type"))
        if value == nil, averageValue == nil, averageUtilization == nil {
            errors.append(
                .required(path, "must set either a target raw value or a target utilization"))
        }
        if value != nil, averageValue != nil {
            errors.append(.forbidden(path, "may not set both value and averageValue"))
        }
        if let averageUtilization, averageUtilization < 1 {
            errors.append(.invalid(path.child("averageUtilization"), averageUtilization, "must be greater than 0"))
        }
        return errors
    }
}

extension HPAScalingRules {
    fileprivate func validate(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.vocabulary(
            selectPolicy, ["Disabled", "Max", "Min"], at: path.child("selectPolicy"))
        errors += FieldChecks.range(
            stabilizationWindowSeconds, 0...3600, at: path.child("stabilizationWindowSeconds"))
        for (index, policy) in (policies ?? []).enumerated() {
            let path = path.child("policies").index(index)
            if !["Percent", "Pods"].contains(policy.type) {
                errors.append(.notSupported(path.child("type"), policy.type, ["Percent", "Pods"]))
            }
            if policy.value < 1 { errors.append(.invalid(path.child("value"), policy.value, "must be greater than 0")) }
            errors += FieldChecks.range(policy.periodSeconds, 1...1800, at: path.child("periodSeconds"))
        }
        return errors
    }
}
