extension ObjectMeta {
    /// All annotations of an object together, keys and values, in bytes.
    static let annotationsMaximumBytes = 256 * 1024

    /// Checks the metadata of an object of one kind.
    ///
    /// - Parameters:
    ///   - namespaced: whether the kind lives in namespaces.
    ///   - rule: the ``NameRules`` rule for the kind's names.
    func validate(namespaced: Bool, name rule: (String) -> [String]) -> [FieldError] {
        let path = FieldPath("metadata")
        var errors: [FieldError] = []
        if let generateName, !generateName.isEmpty {
            errors += rule(Self.withoutTrailingHyphen(generateName)).map {
                .invalid(path.child("generateName"), generateName, $0)
            }
        }
        if let name, !name.isEmpty {
            errors += FieldChecks.name(name, at: path.child("name"), rule)
        } else if generateName?.isEmpty ?? true {
            errors.append(.required(path.child("name"), "name or generateName is required"))
        }
        let namespacePath = path.child("namespace")
        if namespaced {
            errors += FieldChecks.requiredName(namespace, at: namespacePath, NameRules.dns1123Label)
        } else if let namespace, !namespace.isEmpty {
            errors.append(.forbidden(namespacePath, "not allowed on this type"))
        }
        errors += FieldChecks.notNegative(generation, at: path.child("generation"))
        errors += FieldChecks.notNegative(
            deletionGracePeriodSeconds, at: path.child("deletionGracePeriodSeconds"))
        errors += FieldChecks.labels(labels, at: path.child("labels"))
        errors += validateAnnotations(at: path.child("annotations"))
        errors += validateOwners(at: path.child("ownerReferences"))
        errors += validateFinalizers(at: path.child("finalizers"))
        return errors
    }

    /// Checks what an update may not change.
    func validateUpdate(old: ObjectMeta) -> [FieldError] {
        let path = FieldPath("metadata")
        var errors: [FieldError] = []
        func immutable<Value: Equatable>(_ field: String, _ new: Value?, _ old: Value?, _ shown: JSONValue) {
            if new != old { errors.append(.invalid(path.child(field), shown, FieldChecks.immutable)) }
        }
        immutable("name", name, old.name, .string(name ?? ""))
        immutable("namespace", namespace, old.namespace, .string(namespace ?? ""))
        immutable("uid", uid, old.uid, .string(uid ?? ""))
        immutable(
            "creationTimestamp", creationTimestamp, old.creationTimestamp,
            creationTimestamp.map { .string($0.rfc3339) } ?? .null)
        immutable(
            "deletionTimestamp", deletionTimestamp, old.deletionTimestamp,
            deletionTimestamp.map { .string($0.rfc3339) } ?? .null)
        immutable(
            "deletionGracePeriodSeconds", deletionGracePeriodSeconds, old.deletionGracePeriodSeconds,
            deletionGracePeriodSeconds.map { .integer($0) } ?? .null)
        if let generation, generation < old.generation ?? 0 {
            errors.append(.invalid(path.child("generation"), generation, "must not be decremented"))
        }
        if old.deletionTimestamp != nil {
            let added = Set(finalizers ?? []).subtracting(old.finalizers ?? []).sorted()
            if !added.isEmpty {
                errors.append(
                    .forbidden(
                        path.child("finalizers"),
                        "no new finalizers can be added if the object is being deleted, found new finalizers \(added)"))
            }
        }
        return errors
    }

    private func validateAnnotations(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var bytes = 0
        for (key, value) in (annotations ?? [:]).sorted(by: { $0.key < $1.key }) {
            // The case of a key does not matter here, unlike in labels.
            errors += NameRules.qualifiedName(key.lowercased()).map { .invalid(path, key, $0) }
            bytes += key.utf8.count + value.utf8.count
        }
        if bytes > Self.annotationsMaximumBytes {
            errors.append(.tooLong(path, maximumBytes: Self.annotationsMaximumBytes))
        }
        return errors
    }

    private func validateOwners(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var controllers: [String] = []
        for (index, owner) in (ownerReferences ?? []).enumerated() {
            // The API server's own paths have no index here; ours does, so that the user finds the entry.
            let path = path.index(index)
            if owner.apiVersion.isEmpty {
                errors.append(.invalid(path.child("apiVersion"), "", "version must not be empty"))
            }
            if owner.kind.isEmpty { errors.append(.invalid(path.child("kind"), "", "must not be empty")) }
            if owner.name.isEmpty { errors.append(.invalid(path.child("name"), "", "must not be empty")) }
            if owner.uid.isEmpty { errors.append(.invalid(path.child("uid"), "", "must not be empty")) }
            if owner.controller == true { controllers.append(owner.name) }
        }
        if controllers.count > 1 {
            errors.append(
                .invalid(
                    path, JSONValue.array(controllers.map(JSONValue.string)),
                    "Only one reference can have Controller set to true. Found \"true\" in references for "
                        + "\(controllers[0]) and \(controllers[1])"))
        }
        return errors
    }

    private func validateFinalizers(at path: FieldPath) -> [FieldError] {
        let finalizers = finalizers ?? []
        var errors = finalizers.flatMap { FieldChecks.name($0, at: path, NameRules.qualifiedName) }
        if finalizers.contains("orphan") && finalizers.contains("foregroundDeletion") {
            errors.append(
                .invalid(
                    path, JSONValue.array(finalizers.map(JSONValue.string)),
                    "finalizer orphan and foregroundDeletion cannot be both set"))
        }
        return errors
    }

    /// The random suffix comes after the hyphen, so a prefix may end with one.
    private static func withoutTrailingHyphen(_ prefix: String) -> String {
        prefix.utf8.count > 1 && prefix.hasSuffix("-") ? prefix.dropLast() + "a" : prefix
    }
}
