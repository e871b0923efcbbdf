extension RoleBinding: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        roleRef.applyDefaults()
        for index in (subjects ?? []).indices { subjects?[index].applyDefaults() }
    }

    public func validate() -> [FieldError] {
        metadata.validate(namespaced: true, name: PolicyRule.roleName)
            + roleRef.validate(["ClusterRole", "Role"]) + Subject.validate(subjects)
    }

    public func validateUpdate(old: RoleBinding) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata) + roleRef.validateUpdate(old: old.roleRef)
    }
}

extension ClusterRoleBinding: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        roleRef.applyDefaults()
        for index in (subjects ?? []).indices { subjects?[index].applyDefaults() }
    }

    public func validate() -> [FieldError] {
        metadata.validate(namespaced: false, name: PolicyRule.roleName)
            + roleRef.validate(["ClusterRole"]) + Subject.validate(subjects)
    }

    public func validateUpdate(old: ClusterRoleBinding) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata) + roleRef.validateUpdate(old: old.roleRef)
    }
}

extension RoleReference {
    fileprivate mutating func applyDefaults() {
        if apiGroup.isEmpty { apiGroup = Self.group }
    }

    fileprivate func validate(_ kinds: [String]) -> [FieldError] {
        let path = FieldPath("roleRef")
        var errors: [FieldError] = []
        if apiGroup != Self.group { errors.append(.notSupported(path.child("apiGroup"), apiGroup, [Self.group])) }
        if !kinds.contains(kind) { errors.append(.notSupported(path.child("kind"), kind, kinds)) }
        return errors + FieldChecks.requiredName(name, at: path.child("name"), PolicyRule.roleName)
    }

    fileprivate func validateUpdate(old: RoleReference) -> [FieldError] {
        guard self != old else { return [] }
        let shown: JSONValue = [
            "apiGroup": .string(apiGroup), "kind": .string(kind), "name": .string(name),
        ]
        return [.invalid(FieldPath("roleRef"), shown, "cannot change roleRef")]
    }
}

extension Subject {
    fileprivate mutating func applyDefaults() {
        if kind == "ServiceAccount" {
            apiGroup = apiGroup ?? ""
        } else if (apiGroup ?? "").isEmpty {
            apiGroup = RoleReference.group
        }
        if apiGroup?.isEmpty == true { apiGroup = nil }
    }

    fileprivate static func validate(_ subjects: [Subject]?) -> [FieldError] {
        let path = FieldPath("subjects")
        let subjects = subjects ?? []
        guard subjects.count <= PolicyRule.maximumEntries else {
            return [.tooMany(path, actual: subjects.count, maximum: PolicyRule.maximumEntries)]
        }
        return subjects.enumerated().flatMap { index, subject -> [FieldError] in
            let path = path.index(index)
            var errors: [FieldError] = []
            if subject.name.isEmpty { errors.append(.required(path.child("name"))) }
            switch subject.kind {
            case "ServiceAccount":
                if (subject.namespace ?? "").isEmpty { errors.append(.required(path.child("namespace"))) }
                if let group = subject.apiGroup, !group.isEmpty {
                    errors.append(.notSupported(path.child("apiGroup"), group, [""]))
                }
            case "User", "Group":
                if subject.apiGroup != RoleReference.group {
                    errors.append(
                        .notSupported(path.child("apiGroup"), subject.apiGroup ?? "", [RoleReference.group]))
                }
            default:
                errors.append(.notSupported(path.child("kind"), subject.kind, ["Group", "ServiceAccount", "User"]))
            }
            return errors
        }
    }
}
