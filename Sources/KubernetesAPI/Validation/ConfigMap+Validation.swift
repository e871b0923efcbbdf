extension ConfigMap: Validatable, UpdateValidatable {
    /// The most bytes all values of one ConfigMap or Secret may have together.
    static let maximumBytes = 1024 * 1024

    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        var bytes = 0
        for (key, value) in (data ?? [:]).sorted(by: { $0.key < $1.key }) {
            let path = FieldPath("data").key(key)
            errors += FieldChecks.name(key, at: path, NameRules.dataKey)
            if binaryData?[key] != nil {
                errors.append(.invalid(path, key, "duplicate of key present in binaryData"))
            }
            bytes += value.utf8.count
        }
        for (key, value) in (binaryData ?? [:]).sorted(by: { $0.key < $1.key }) {
            let path = FieldPath("binaryData").key(key)
            errors += FieldChecks.name(key, at: path, NameRules.dataKey)
            guard let decoded = Base64.decode(value) else {
                errors.append(.invalid(path, key, "the value must be base64"))
                continue
            }
            bytes += decoded.count
        }
        if bytes > Self.maximumBytes { errors.append(.tooLong(.root, maximumBytes: Self.maximumBytes)) }
        return errors
    }

    public func validateUpdate(old: ConfigMap) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        guard old.immutable == true else { return errors }
        let detail = "field is immutable when `immutable` is set"
        if immutable != true { errors.append(.forbidden(FieldPath("immutable"), detail)) }
        if (data ?? [:]) != (old.data ?? [:]) { errors.append(.forbidden(FieldPath("data"), detail)) }
        if (binaryData ?? [:]) != (old.binaryData ?? [:]) {
            errors.append(.forbidden(FieldPath("binaryData"), detail))
        }
        return errors
    }
}
