extension LimitRange: Validatable, Defaultable, UpdateValidatable {
    /// A container's default limit is its maximum, its default request its default limit, else its minimum.
    public mutating func applyDefaults() {
        spec.limits = spec.limits.map { items in
            items.map { item in
                guard item.type == "Container" else { return item }
                var item = item
                let limits = (item.max ?? [:]).merging(item.default ?? [:]) { _, given in given }
                let requests = (item.min ?? [:]).merging(limits) { _, limit in limit }
                    .merging(item.defaultRequest ?? [:]) { _, given in given }
                if !limits.isEmpty { item.default = limits }
                if !requests.isEmpty { item.defaultRequest = requests }
                return item
            }
        }
    }

    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        let path = FieldPath("spec", "limits")
        var seen: Set<String> = []
        for (index, item) in (spec.limits ?? []).enumerated() {
            let place = path.index(index)
            if !["Container", "Pod", "PersistentVolumeClaim"].contains(item.type) {
                errors.append(
                    .notSupported(place.child("type"), item.type, ["Container", "Pod", "PersistentVolumeClaim"]))
            }
            if !seen.insert(item.type).inserted { errors.append(.duplicate(place.child("type"), item.type)) }
            if item.type != "Container" {
                for (name, value) in [("default", item.default), ("defaultRequest", item.defaultRequest)]
                where value != nil {
                    errors.append(
                        .forbidden(place.child(name), "may not be specified when `type` is '\(item.type)'"))
                }
            }
            errors += item.validateAmounts(at: place)
        }
        return errors
    }

    public func validateUpdate(old: LimitRange) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}

extension LimitRangeItem {
    /// From the least to the most: minimum, default request, default, maximum.
    fileprivate func validateAmounts(at path: FieldPath) -> [FieldError] {
        let given = [
            ("min", min), ("max", max), ("default", self.default), ("defaultRequest", defaultRequest),
            ("maxLimitRequestRatio", maxLimitRequestRatio),
        ]
        var errors = given.flatMap { FieldChecks.quantities($0.1, at: path.child($0.0)) }
        if type == "PersistentVolumeClaim", min?["storage"] == nil, max?["storage"] == nil {
            errors.append(
                .required(
                    path.child("limits"),
                    "either minimum or maximum storage value is required, but neither was provided"))
        }
        let order = [
            ("min", "min", min), ("defaultRequest", "default request", defaultRequest),
            ("default", "default", self.default), ("max", "max", max),
        ]
        for (low, lesser) in order.enumerated() {
            for greater in order.dropFirst(low + 1) {
                for (name, amount) in (lesser.2 ?? [:]).sorted(by: { $0.key < $1.key }) {
                    guard let bound = greater.2?[name], amount > bound else { continue }
                    errors.append(
                        .invalid(
                            path.child(lesser.0).key(name), amount.description,
                            "\(lesser.1) value \(amount) is greater than \(greater.1) value \(bound)"))
                }
            }
        }
        for (name, ratio) in (maxLimitRequestRatio ?? [:]).sorted(by: { $0.key < $1.key }) where ratio < .count(1) {
            errors.append(
                .invalid(
                    path.child("maxLimitRequestRatio").key(name), ratio.description,
                    "ratio \(ratio) is less than 1"))
        }
        return errors
    }
}
