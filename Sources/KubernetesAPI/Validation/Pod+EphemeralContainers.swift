extension Pod {
    /// Checks an update through the subresource `ephemeralcontainers`: containers may be added, none may change or go.
    /// What the containers themselves may say is part of ``validate()``.
    public func validateEphemeralContainersUpdate(old: Pod) -> [FieldError] {
        let path = FieldPath("spec", "ephemeralContainers")
        if old.metadata.annotations?[Self.mirrorAnnotation] != nil {
            return [.forbidden(path, "static pods do not support ephemeral containers")]
        }
        let new = Dictionary(
            (spec.ephemeralContainers ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return (old.spec.ephemeralContainers ?? []).compactMap { container in
            guard let kept = new[container.name] else {
                return .forbidden(path, "existing ephemeral containers \"\(container.name)\" may not be removed")
            }
            // The name only: a difference in values could show a secret from an environment variable.
            return kept == container
                ? nil : .forbidden(path, "existing ephemeral containers \"\(container.name)\" may not be changed")
        }
    }
}
