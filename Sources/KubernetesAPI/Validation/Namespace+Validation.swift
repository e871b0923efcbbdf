extension Namespace: Defaultable {
    /// What every namespace carries from its creation on.
    public mutating func applyDefaults() {
        if spec.finalizers == nil && metadata.deletionTimestamp == nil { spec.finalizers = ["kubernetes"] }
        var status = status ?? NamespaceStatus()
        status.phase = status.phase.orDefault("Active")
        self.status = status
        if let name = metadata.name, !name.isEmpty {
            metadata.labels = (metadata.labels ?? [:]).merging(["kubernetes.io/metadata.name": name]) { _, own in own }
        }
    }
}

extension Namespace: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        metadata.validate(namespaced: false, name: NameRules.dns1123Label)
            + (spec.finalizers ?? []).enumerated().flatMap {
                FieldChecks.name($1, at: FieldPath("spec", "finalizers").index($0), NameRules.qualifiedName)
            }
    }

    public func validateUpdate(old: Namespace) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
    }
}
