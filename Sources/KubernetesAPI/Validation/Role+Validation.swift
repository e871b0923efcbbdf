extension Role: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        metadata.validate(namespaced: true, name: PolicyRule.roleName)
            + PolicyRule.validate(rules, isNamespaced: true)
    }

    public func validateUpdate(old: Role) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}

extension ClusterRole: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: false, name: PolicyRule.roleName)
        errors += PolicyRule.validate(rules, isNamespaced: false)
        guard let aggregationRule else { return errors }
        let path = FieldPath("aggregationRule", "clusterRoleSelectors")
        let selectors = aggregationRule.clusterRoleSelectors ?? []
        if selectors.isEmpty {
            errors.append(.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil"))
        }
        for (index, selector) in selectors.enumerated() { errors += selector.validate(at: path.index(index)) }
        return errors
    }

    public func validateUpdate(old: ClusterRole) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}

extension PolicyRule {
    /// Rules and subjects one object may hold: more than anyone writes, few enough to be looked through at each request.
    static let maximumEntries = 1000

    /// A name that is one segment of a path: roles are called `system:node` and the like.
    static func roleName(_ value: String) -> [String] {
        if value == "." || value == ".." { return ["may not be '\(value)'"] }
        return ["/", "%"].filter(value.contains).map { "may not contain '\($0)'" }
    }

    static func validate(_ rules: [PolicyRule], isNamespaced: Bool) -> [FieldError] {
        let path = FieldPath("rules")
        guard rules.count <= maximumEntries else {
            return [.tooMany(path, actual: rules.count, maximum: maximumEntries)]
        }
        return rules.enumerated().flatMap { $1.validate(at: path.index($0), isNamespaced: isNamespaced) }
    }

    private func validate(at path: FieldPath, isNamespaced: Bool) -> [FieldError] {
        var errors: [FieldError] = []
        if verbs.isEmpty { errors.append(.required(path.child("verbs"), "verbs must contain at least one value")) }
        let hasPaths = !(nonResourceURLs ?? []).isEmpty
        if hasPaths {
            if isNamespaced {
                errors.append(
                    .invalid(
                        path.child("nonResourceURLs"), .array((nonResourceURLs ?? []).map(JSONValue.string)),
                        "namespaced rules cannot apply to non-resource URLs"))
            }
            if ![apiGroups, resources, resourceNames].allSatisfy({ ($0 ?? []).isEmpty }) {
                errors.append(
                    .invalid(
                        path.child("nonResourceURLs"), .array((nonResourceURLs ?? []).map(JSONValue.string)),
                        "rules cannot apply to both regular resources and non-resource URLs"))
            }
            return errors
        }
        if (apiGroups ?? []).isEmpty {
            errors.append(.required(path.child("apiGroups"), "resource rules must supply at least one api group"))
        }
        if (resources ?? []).isEmpty {
            errors.append(.required(path.child("resources"), "resource rules must supply at least one resource"))
        }
        return errors
    }
}
