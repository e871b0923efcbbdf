extension Node: Defaultable {
    /// A node that says nothing of what pods may use offers all it has.
    public mutating func applyDefaults() {
        guard let capacity = status?.capacity, status?.allocatable == nil else { return }
        status?.allocatable = capacity
    }
}

extension Node: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        let path = FieldPath("spec")
        errors += validateTaints(at: path.child("taints"))
        errors += validatePodCIDRs(at: path)
        let status = FieldPath("status")
        errors += FieldChecks.quantities(self.status?.capacity, at: status.child("capacity"))
        errors += FieldChecks.quantities(self.status?.allocatable, at: status.child("allocatable"))
        if let port = self.status?.daemonEndpoints?.kubeletEndpoint?.port, port != 0 {
            errors += FieldChecks.port(port, at: status.child("daemonEndpoints", "kubeletEndpoint", "Port"))
        }
        return errors
    }

    public func validateUpdate(old: Node) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        let path = FieldPath("spec")
        func onlyOnce(_ field: String, _ new: String?, _ old: String?) {
            guard let old, !old.isEmpty, new != old else { return }
            errors.append(
                .forbidden(path.child(field), "node updates may not change \(field) except from \"\" to valid"))
        }
        onlyOnce("podCIDR", spec.podCIDR, old.spec.podCIDR)
        onlyOnce("providerID", spec.providerID, old.spec.providerID)
        if let oldRanges = old.spec.podCIDRs, !oldRanges.isEmpty, spec.podCIDRs != oldRanges {
            errors.append(
                .forbidden(path.child("podCIDRs"), "node updates may not change podCIDR except from \"\" to valid"))
        }
        return errors
    }

    private func validateTaints(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var seen: Set<String> = []
        for (index, taint) in (spec.taints ?? []).enumerated() {
            let path = path.index(index)
            errors += FieldChecks.requiredName(taint.key, at: path.child("key"), NameRules.qualifiedName)
            errors += FieldChecks.name(taint.value ?? "", at: path.child("value"), NameRules.labelValue)
            if taint.effect.isEmpty {
                errors.append(.required(path.child("effect")))
            } else {
                errors += FieldChecks.vocabulary(taint.effect, TaintEffect.self, at: path.child("effect"))
            }
            if !seen.insert("\(taint.key):\(taint.effect)").inserted {
                errors.append(.duplicate(path, "\(taint.key):\(taint.effect)"))
            }
        }
        return errors
    }

    private func validatePodCIDRs(at path: FieldPath) -> [FieldError] {
        let ranges = spec.podCIDRs ?? []
        var errors: [FieldError] = []
        for (index, range) in ranges.enumerated() where !IPAddressText.isCIDR(range) {
            errors.append(
                .invalid(
                    path.child("podCIDRs").index(index), range,
                    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"))
        }
        if ranges.count > 2 {
            errors.append(.tooMany(path.child("podCIDRs"), actual: ranges.count, maximum: 2))
        }
        if let podCIDR = spec.podCIDR, !podCIDR.isEmpty, let first = ranges.first, first != podCIDR {
            errors.append(
                .invalid(path.child("podCIDRs").index(0), first, "must equal `podCIDR` (\(podCIDR))"))
        }
        return errors
    }
}
