extension ResourceQuota: Validatable, UpdateValidatable {
    /// Which pods a quota may be narrowed to.
    public static let scopes = [
        "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating",
    ]

    private static let counts: Set<String> = [
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    ]
    private static let amounts: Set<String> = [
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    ]
    /// What pods take, and nothing else does.
    private static let podResources = amounts.subtracting(["requests.storage"]).union(["pods", "count/pods"])

    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        let path = FieldPath("spec", "hard")
        for (name, quantity) in (spec.hard ?? [:]).sorted(by: { $0.key < $1.key }) {
            errors += Self.validate(name, quantity, at: path.key(name))
        }
        return errors + validateScopes() + validateSelector()
    }

    private static func validate(_ name: String, _ quantity: Quantity, at path: FieldPath) -> [FieldError] {
        let flaws = FieldChecks.name(name, at: path, NameRules.qualifiedName)
        guard flaws.isEmpty else { return flaws }
        var errors: [FieldError] = []
        let isQualified = name.utf8.contains(UInt8(ascii: "/"))
        let isHugePages = name.hasPrefix("hugepages-") || name.hasPrefix("requests.hugepages-")
        if !isQualified, !isHugePages, !counts.contains(name), !amounts.contains(name) {
            errors.append(.invalid(path, name, "must be a standard resource for quotas"))
        }
        errors += FieldChecks.quantity(quantity, at: path)
        let isWhole = counts.contains(name) || name.hasPrefix("count/")
        if isWhole, quantity.nanos % Quantity.nanosPerUnit != 0 {
            errors.append(.invalid(path, quantity.description, "must be an integer"))
        }
        return errors
    }

    private func validateScopes() -> [FieldError] {
        let path = FieldPath("spec", "scopes")
        let given = spec.scopes ?? []
        var errors: [FieldError] = []
        for (index, scope) in given.enumerated() {
            if Self.scopes.contains(scope) {
                errors += resourceErrors(of: scope, at: path)
            } else {
                errors.append(.notSupported(path.index(index), scope, Self.scopes))
            }
        }
        for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]]
        where pair.allSatisfy(given.contains) {
            errors.append(.invalid(path, given.joined(separator: ","), "conflicting scopes"))
        }
        return errors
    }

    private func validateSelector() -> [FieldError] {
        let path = FieldPath("spec", "scopeSelector", "matchExpressions")
        var errors: [FieldError] = []
        for (index, demand) in (spec.scopeSelector?.matchExpressions ?? []).enumerated() {
            let place = path.index(index)
            guard Self.scopes.contains(demand.scopeName) else {
                errors.append(.notSupported(place.child("scopeName"), demand.scopeName, Self.scopes))
                continue
            }
            errors += resourceErrors(of: demand.scopeName, at: place.child("scopeName"))
            let hasValues = demand.values?.isEmpty == false
            switch demand.operator {
            case "In", "NotIn":
                if demand.scopeName != "PriorityClass" { errors.append(Self.onlyExists(demand, at: place)) }
                if !hasValues {
                    errors.append(
                        .required(
                            place.child("values"),
                            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
                }
            case "Exists", "DoesNotExist":
                if demand.operator != "Exists", demand.scopeName != "PriorityClass" {
                    errors.append(Self.onlyExists(demand, at: place))
                }
                if hasValues {
                    errors.append(
                        .invalid(
                            place.child("values"), (demand.values ?? []).joined(separator: ","),
                            "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"))
                }
            default: errors.append(.invalid(place.child("operator"), demand.operator, "not a valid selector operator"))
            }
        }
        return errors
    }

    private static func onlyExists(_ demand: ScopedResourceSelectorRequirement, at path: FieldPath) -> FieldError {
        .invalid(
            path.child("operator"), demand.operator,
            "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                + "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                + "ResourceQuotaScopeCrossNamespacePodAffinity")
    }

    /// A scope is about pods, and best effort ones ask for nothing that could be counted.
    private func resourceErrors(of scope: String, at path: FieldPath) -> [FieldError] {
        let allowed = scope == "BestEffort" ? ["pods", "count/pods"] : Self.podResources
        let others = (spec.hard ?? [:]).keys.filter { name in
            if scope == "BestEffort" || name == "requests.storage" { return !allowed.contains(name) }
            return !allowed.contains(name) && !name.hasPrefix("hugepages-") && !name.hasPrefix("requests.")
        }
        return others.isEmpty ? [] : [.invalid(path, scope, "unsupported scope applied to resource")]
    }

    public func validateUpdate(old: ResourceQuota) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if Set(spec.scopes ?? []) != Set(old.spec.scopes ?? []) {
            errors.append(
                .invalid(
                    FieldPath("spec", "scopes"), (spec.scopes ?? []).joined(separator: ","), FieldChecks.immutable))
        }
        if spec.scopeSelector ?? ScopeSelector() != old.spec.scopeSelector ?? ScopeSelector() {
            errors.append(.invalid(FieldPath("spec", "scopeSelector"), "", FieldChecks.immutable))
        }
        return errors
    }
}
