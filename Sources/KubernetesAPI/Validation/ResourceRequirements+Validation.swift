extension ResourceRequirements {
    private static let standardNames: Set<String> = ["cpu", "memory", "ephemeral-storage"]
    private static let hugePagesPrefix = "hugepages-"

    /// - Parameter claims: the names of the pod's `resourceClaims`; nil where claims may not be used.
    func validate(at path: FieldPath, claims claimNames: Set<String>? = nil) -> [FieldError] {
        var errors: [FieldError] = []
        let limitsPath = path.child("limits")
        let requestsPath = path.child("requests")
        for (name, quantity) in (limits ?? [:]).sorted(by: { $0.key < $1.key }) {
            errors += Self.validate(name, quantity, at: limitsPath.key(name))
        }
        for (name, quantity) in (requests ?? [:]).sorted(by: { $0.key < $1.key }) {
            errors += Self.validate(name, quantity, at: requestsPath.key(name))
            guard let limit = limits?[name] else {
                if !Self.isOvercommitable(name) {
                    errors.append(
                        .required(limitsPath, "Limit must be set for non overcommitable resources"))
                }
                continue
            }
            if !Self.isOvercommitable(name) && quantity != limit {
                errors.append(
                    .invalid(requestsPath, quantity.description, "must be equal to \(name) limit of \(limit)"))
            } else if quantity > limit {
                errors.append(
                    .invalid(
                        requestsPath, quantity.description, "must be less than or equal to \(name) limit of \(limit)"))
            }
        }
        errors += validateHugePages(at: path)
        errors += validateClaims(at: path.child("claims"), names: claimNames)
        return errors
    }

    /// Huge pages alone cannot run a process.
    private func validateHugePages(at path: FieldPath) -> [FieldError] {
        let names = Set((limits ?? [:]).keys).union((requests ?? [:]).keys)
        let hasHugePages = names.contains { $0.utf8.starts(with: Self.hugePagesPrefix.utf8) }
        guard hasHugePages, names.isDisjoint(with: ["cpu", "memory"]) else { return [] }
        return [.forbidden(path, "HugePages require cpu or memory")]
    }

    private func validateClaims(at path: FieldPath, names: Set<String>?) -> [FieldError] {
        guard let claims, !claims.isEmpty else { return [] }
        guard let names else { return [.forbidden(path, "may not be set for resources of the whole pod")] }
        var errors: [FieldError] = []
        var seen: Set<ResourceClaim> = []
        for (index, claim) in claims.enumerated() {
            let path = path.index(index)
            if claim.name.isEmpty {
                errors.append(.required(path.child("name")))
            } else if !names.contains(claim.name) {
                errors.append(.notFound(path.child("name"), claim.name))
            }
            if !seen.insert(claim).inserted { errors.append(.duplicate(path, claim.name)) }
        }
        return errors
    }

    private static func validate(_ name: String, _ quantity: Quantity, at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.name(name, at: path, NameRules.qualifiedName)
        let isQualified = name.utf8.contains(UInt8(ascii: "/"))
        let isHugePages = name.utf8.starts(with: hugePagesPrefix.utf8)
        if !isQualified && !isHugePages && !standardNames.contains(name) {
            errors.append(.invalid(path, name, "must be a standard resource for containers"))
        }
        errors += FieldChecks.quantity(quantity, at: path)
        if isQualified && quantity.nanos % Quantity.nanosPerUnit != 0 {
            errors.append(.invalid(path, quantity.description, "must be an integer"))
        }
        if isHugePages { errors += validateHugePageSize(name, quantity, at: path) }
        return errors
    }

    private static func validateHugePageSize(
        _ name: String, _ quantity: Quantity, at path: FieldPath
    ) -> [FieldError] {
        let size = try? Quantity(parsing: String(name.dropFirst(hugePagesPrefix.count)))
        guard let size, size.value > 0 else {
            return [.invalid(path, name, "must name a page size, as in hugepages-2Mi")]
        }
        return quantity.value % size.value == 0
            ? [] : [.invalid(path, quantity.description, "must be a multiple of page size \(size)")]
    }

    /// Only the node's own compressible and evictable resources may be promised more often than they exist.
    private static func isOvercommitable(_ name: String) -> Bool {
        standardNames.contains(name)
    }
}

extension FieldChecks {
    static func quantity(_ quantity: Quantity, at path: FieldPath) -> [FieldError] {
        quantity.isNegative ? [.invalid(path, quantity.description, notNegative)] : []
    }

    static func quantities(_ quantities: [String: Quantity]?, at path: FieldPath) -> [FieldError] {
        (quantities ?? [:]).sorted { $0.key < $1.key }.flatMap { name, quantity in
            self.name(name, at: path.key(name), NameRules.qualifiedName)
                + self.quantity(quantity, at: path.key(name))
        }
    }
}
