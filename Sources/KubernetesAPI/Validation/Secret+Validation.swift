extension Secret: Defaultable {
    /// Sets the type and merges `stringData` over `data`, as happens whenever a Secret is written.
    public mutating func applyDefaults() {
        type = type.orDefault(SecretType.opaque.rawValue)
        guard let plain = stringData else { return }
        stringData = nil
        if plain.isEmpty { return }
        data = (data ?? [:]).merging(plain.mapValues { Base64.encode($0.utf8) }) { _, written in written }
    }
}

extension Secret: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        var bytes = 0
        for (key, value) in (data ?? [:]).sorted(by: { $0.key < $1.key }) {
            let path = FieldPath("data").key(key)
            errors += FieldChecks.name(key, at: path, NameRules.dataKey)
            guard let decoded = Base64.decode(value) else {
                errors.append(.invalid(path, "<secret contents redacted>", "must be base64"))
                continue
            }
            bytes += decoded.count
        }
        for (key, value) in (stringData ?? [:]).sorted(by: { $0.key < $1.key }) {
            errors += FieldChecks.name(key, at: FieldPath("stringData").key(key), NameRules.dataKey)
            bytes += value.utf8.count
        }
        if bytes > ConfigMap.maximumBytes {
            errors.append(.tooLong(FieldPath("data"), maximumBytes: ConfigMap.maximumBytes))
        }
        return errors + validateRequiredKeys()
    }

    public func validateUpdate(old: Secret) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if type.orDefault(SecretType.opaque.rawValue) != old.type.orDefault(SecretType.opaque.rawValue) {
            errors.append(.invalid(FieldPath("type"), type ?? "", FieldChecks.immutable))
        }
        guard old.immutable == true else { return errors }
        let detail = "field is immutable when `immutable` is set"
        if immutable != true { errors.append(.forbidden(FieldPath("immutable"), detail)) }
        if (data ?? [:]) != (old.data ?? [:]) || !(stringData ?? [:]).isEmpty {
            errors.append(.forbidden(FieldPath("data"), detail))
        }
        return errors
    }

    /// Known types promise keys to those who read them.
    private func validateRequiredKeys() -> [FieldError] {
        func missing(_ keys: String...) -> [FieldError] {
            keys.filter { data?[$0] == nil && stringData?[$0] == nil }.map { .required(FieldPath("data").key($0)) }
        }
        guard let type = SecretType(rawValue: type.orDefault(SecretType.opaque.rawValue) ?? "") else { return [] }
        switch type {
        case .opaque, .bootstrapToken:
            return []
        case .serviceAccountToken:
            let annotation = "kubernetes.io/service-account.name"
            let isSet = !(metadata.annotations?[annotation] ?? "").isEmpty
            return isSet ? [] : [.required(FieldPath("metadata", "annotations").key(annotation))]
        case .dockercfg:
            return missing(".dockercfg")
        case .dockerConfigJSON:
            return missing(".dockerconfigjson")
        case .basicAuth:
            let errors = missing("username", "password")
            return errors.count == 2 ? errors : []
        case .sshAuth:
            return missing("ssh-privatekey")
        case .tls:
            return missing("tls.crt", "tls.key")
        }
    }
}
