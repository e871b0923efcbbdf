extension CSIDriver: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        spec.attachRequired = spec.attachRequired ?? true
        spec.podInfoOnMount = spec.podInfoOnMount ?? false
        spec.storageCapacity = spec.storageCapacity ?? false
        spec.fsGroupPolicy = spec.fsGroupPolicy.orDefault("ReadWriteOnceWithFSType")
        if (spec.volumeLifecycleModes ?? []).isEmpty { spec.volumeLifecycleModes = ["Persistent"] }
        spec.requiresRepublish = spec.requiresRepublish ?? false
        spec.seLinuxMount = spec.seLinuxMount ?? false
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.vocabulary(
            spec.fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"], at: path.child("fsGroupPolicy"))
        for (index, mode) in (spec.volumeLifecycleModes ?? []).enumerated()
        where !["Ephemeral", "Persistent"].contains(mode) {
            errors.append(
                .notSupported(path.child("volumeLifecycleModes").index(index), mode, ["Ephemeral", "Persistent"]))
        }
        for (index, request) in (spec.tokenRequests ?? []).enumerated() {
            let path = path.child("tokenRequests").index(index)
            if let seconds = request.expirationSeconds, seconds < 600 {
                errors.append(
                    .invalid(
                        path.child("expirationSeconds"), seconds, "may not specify a duration less than 10 minutes"))
            }
        }
        return errors
    }

    public func validateUpdate(old: CSIDriver) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if spec.attachRequired != old.spec.attachRequired {
            errors.append(.invalid(FieldPath("spec", "attachedRequired"), "", FieldChecks.immutable))
        }
        if spec.volumeLifecycleModes != old.spec.volumeLifecycleModes {
            errors.append(.invalid(FieldPath("spec", "volumeLifecycleModes"), "", FieldChecks.immutable))
        }
        return errors
    }
}

extension CSINode: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        var names: Set<String> = []
        for (index, driver) in spec.drivers.enumerated() {
            let path = FieldPath("spec", "drivers").index(index)
            errors += FieldChecks.requiredName(driver.name, at: path.child("name"), NameRules.dns1123Subdomain)
            if !names.insert(driver.name).inserted { errors.append(.duplicate(path.child("name"), driver.name)) }
            if driver.nodeID.isEmpty { errors.append(.required(path.child("nodeID"))) }
            errors += FieldChecks.notNegative(driver.allocatable?.count, at: path.child("allocatable", "count"))
        }
        return errors
    }

    public func validateUpdate(old: CSINode) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}

extension VolumeAttachment: Validatable, UpdateValidatable {
    private static let oneSource = "must specify exactly one of inlineVolumeSpec or persistentVolumeName"

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.requiredName(spec.attacher, at: path.child("attacher"), NameRules.dns1123Subdomain)
        errors += FieldChecks.requiredName(spec.nodeName, at: path.child("nodeName"), NameRules.dns1123Subdomain)
        let source = path.child("source")
        switch (spec.source.persistentVolumeName ?? "", spec.source.inlineVolumeSpec) {
        case ("", nil): errors.append(.required(source, Self.oneSource))
        case ("", _?), (_, nil): break
        case (_, _?): errors.append(.forbidden(source, Self.oneSource))
        }
        return errors
    }

    public func validateUpdate(old: VolumeAttachment) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if spec != old.spec { errors.append(.invalid(FieldPath("spec"), [:], FieldChecks.immutable)) }
        return errors
    }
}
