extension Event: Validatable, UpdateValidatable {
    /// Loose on purpose: an event that is refused is an event nobody sees.
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        let namespace = involvedObject.namespace ?? ""
        let path = FieldPath("involvedObject", "namespace")
        if namespace.isEmpty {
            // Events about cluster-scoped objects live in the default namespace (or in kube-system).
            if let own = metadata.namespace, own != "default", own != "kube-system" {
                errors.append(.invalid(path, namespace, "does not match event.namespace"))
            }
        } else if namespace != metadata.namespace {
            errors.append(.invalid(path, namespace, "does not match event.namespace"))
        }
        errors += FieldChecks.notNegative(count, at: FieldPath("count"))
        return errors
    }

    public func validateUpdate(old: Event) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
    }
}
