extension ServiceAccount: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
    }

    public func validateUpdate(old: ServiceAccount) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
    }
}
