extension Binding: Validatable {
    public func validate() -> [FieldError] {
        var errors: [FieldError] = []
        let path = FieldPath("target")
        errors += FieldChecks.vocabulary(target.kind, ["Node", "<empty>"], at: path.child("kind"))
        if (target.name ?? "").isEmpty { errors.append(.required(path.child("name"))) }
        return errors
    }
}
