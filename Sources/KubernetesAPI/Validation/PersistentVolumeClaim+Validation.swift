extension PersistentVolumeClaim: Validatable {
    /// The rules of the API, and what this node cannot do.
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        let path = FieldPath("spec")
        errors += PersistentStorage.validate(accessModes: spec.accessModes, at: path.child("accessModes"))
        errors += PersistentStorage.validate(volumeMode: spec.volumeMode, at: path.child("volumeMode"))
        errors += PersistentStorage.validate(
            size: spec.resources?.requests, at: path.child("resources", "requests"))
        if let name = spec.volumeName, !name.isEmpty {
            errors += FieldChecks.name(name, at: path.child("volumeName"), NameRules.dns1123Subdomain)
        }
        for (name, isSet) in [
            ("dataSource", spec.dataSource != nil),
            ("dataSourceRef", spec.dataSourceRef != nil),
            ("volumeAttributesClassName", spec.volumeAttributesClassName?.isEmpty == false),
        ] where isSet {
            errors.append(
                .forbidden(path.child(name), "not supported by this node; name a volume in spec.volumeName"))
        }
        return errors
    }

    /// What a claim of a manifest may not have beyond that: its storage is made, or named, and never chosen.
    public func validateManifest() -> [FieldError] {
        guard spec.selector != nil else { return PersistentStorage.requireName(metadata) }
        return PersistentStorage.requireName(metadata) + [
            .forbidden(
                FieldPath("spec", "selector"), "not supported in a manifest; name a volume in spec.volumeName")
        ]
    }
}

extension PersistentVolume: Validatable {
    /// The rules of the API, and what this node cannot do.
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        let path = FieldPath("spec")
        errors += PersistentStorage.validate(accessModes: spec.accessModes, at: path.child("accessModes"))
        errors += PersistentStorage.validate(volumeMode: spec.volumeMode, at: path.child("volumeMode"))
        errors += PersistentStorage.validate(size: spec.capacity, at: path.child("capacity"))
        errors += FieldChecks.vocabulary(
            spec.persistentVolumeReclaimPolicy, ["Retain", "Delete"], at: path.child("persistentVolumeReclaimPolicy"))
        // Directories of the node are mounted already.
        if spec.mountOptions?.isEmpty == false, spec.nfs == nil, spec.csi == nil {
            errors.append(.forbidden(path.child("mountOptions"), "not supported by this node"))
        }
        if let claim = spec.claimRef {
            let path = path.child("claimRef")
            errors += FieldChecks.requiredName(claim.name, at: path.child("name"), NameRules.dns1123Subdomain)
            errors += FieldChecks.requiredName(
                claim.namespace, at: path.child("namespace"), NameRules.dns1123Label)
        }
        return errors + validateSource(at: path)
    }

    /// What a volume of a manifest may not have beyond that: nothing of it is ever removed.
    public func validateManifest() -> [FieldError] {
        PersistentStorage.requireName(metadata)
            + FieldChecks.vocabulary(
                spec.persistentVolumeReclaimPolicy, ["Retain"],
                at: FieldPath("spec", "persistentVolumeReclaimPolicy"))
    }

    private func validateSource(at path: FieldPath) -> [FieldError] {
        let names = spec.sourceNames
        if names.isEmpty { return [.required(path, "must specify a volume type")] }
        var errors: [FieldError] = names.dropFirst().map {
            .forbidden(path.child($0), "may not specify more than 1 volume type")
        }
        errors += spec.hostPath?.validate(at: path.child("hostPath")) ?? []
        if let local = spec.local {
            let path = path.child("local", "path")
            errors +=
                local.path.isEmpty ? [.required(path)] : FieldChecks.pathWithoutBacksteps(local.path, at: path)
        }
        for (name, value) in [("hostPath", spec.hostPath?.path), ("local", spec.local?.path)] {
            guard let value, !value.isEmpty, value.utf8.first != UInt8(ascii: "/") else { continue }
            errors.append(.invalid(path.child(name, "path"), value, "must be an absolute path"))
        }
        return errors
    }
}

/// What claims and volumes have in common.
private enum PersistentStorage {
    /// A generated name would be another one each time.
    static func requireName(_ metadata: ObjectMeta) -> [FieldError] {
        guard metadata.name?.isEmpty ?? true, metadata.generateName?.isEmpty == false else { return [] }
        return [.required(FieldPath("metadata", "name"))]
    }

    static func validate(accessModes: [String]?, at path: FieldPath) -> [FieldError] {
        let modes = accessModes ?? []
        if modes.isEmpty { return [.required(path, "at least 1 access mode is required")] }
        let known = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
        return modes.enumerated().flatMap { index, mode in
            known.contains(mode) ? [] : [FieldError.notSupported(path.index(index), mode, known)]
        }
    }

    static func validate(volumeMode: String?, at path: FieldPath) -> [FieldError] {
        FieldChecks.vocabulary(volumeMode, ["Filesystem", "Block"], at: path)
    }

    static func validate(size: [String: Quantity]?, at path: FieldPath) -> [FieldError] {
        guard let storage = size?["storage"] else { return [.required(path.key("storage"))] }
        guard storage.value > 0 else {
            return [.invalid(path.key("storage"), "\(storage)", "must be greater than zero")]
        }
        return []
    }
}
