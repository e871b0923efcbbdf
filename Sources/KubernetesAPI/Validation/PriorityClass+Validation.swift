extension PriorityClass: Validatable, Defaultable, UpdateValidatable {
    /// The system's own, which are above what anybody else may give.
    public static let system: [String: Int32] = [
        "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000,
    ]

    public mutating func applyDefaults() {
        if preemptionPolicy == nil { preemptionPolicy = "PreemptLowerPriority" }
    }

    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        let name = metadata.name ?? ""
        if let own = Self.system[name] {
            if value != own {
                errors.append(.invalid(FieldPath("value"), value, "must be \(own) for the system's class \(name)"))
            }
        } else {
            if name.hasPrefix("system-") {
                errors.append(
                    .forbidden(
                        FieldPath("metadata", "name"),
                        "priority class names with 'system-' prefix are reserved for system use only"))
            }
            if value > Self.userLimit {
                errors.append(
                    .forbidden(
                        FieldPath("value"),
                        "maximum allowed value of a user defined priority is \(Self.userLimit)"))
            }
        }
        errors += FieldChecks.vocabulary(
            preemptionPolicy, ["Never", "PreemptLowerPriority"], at: FieldPath("preemptionPolicy"))
        return errors
    }

    public func validateUpdate(old: PriorityClass) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if value != old.value { errors.append(.forbidden(FieldPath("value"), "may not be changed in an update.")) }
        if preemptionPolicy != old.preemptionPolicy {
            errors.append(
                .invalid(FieldPath("preemptionPolicy"), preemptionPolicy ?? "", FieldChecks.immutable))
        }
        return errors
    }
}
