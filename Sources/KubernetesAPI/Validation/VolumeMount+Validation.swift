extension VolumeMount {
    private static let propagations = ["None", "HostToContainer", "Bidirectional"]
    private static let recursiveReadOnlyModes = ["Disabled", "IfPossible", "Enabled"]

    /// - Parameter devicePaths: where the container's block devices go; a mount may not take the same place.
    static func validate(
        _ mounts: [VolumeMount], at path: FieldPath, context: ContainerValidation, devicePaths: Set<String>,
        privileged: Bool
    ) -> [FieldError] {
        var errors: [FieldError] = []
        var paths: Set<String> = []
        for (index, mount) in mounts.enumerated() {
            let path = path.index(index)
            if mount.name.isEmpty {
                errors.append(.required(path.child("name")))
            } else if context.volumesAreClaims[mount.name] == nil {
                errors.append(.notFound(path.child("name"), mount.name))
            }
            if mount.mountPath.isEmpty {
                errors.append(.required(path.child("mountPath")))
            } else {
                errors += FieldChecks.withoutNUL(mount.mountPath, at: path.child("mountPath"))
            }
            if !paths.insert(mount.mountPath).inserted {
                errors.append(.invalid(path.child("mountPath"), mount.mountPath, "must be unique"))
            }
            if devicePaths.contains(mount.mountPath) {
                errors.append(
                    .invalid(path.child("mountPath"), mount.mountPath, "must not already exist in volumeDevices"))
            }
            errors += mount.validateSubPath(at: path)
            errors += mount.validatePropagation(at: path, privileged: privileged)
        }
        return errors
    }

    private func validateSubPath(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if let subPath, !subPath.isEmpty {
            errors += FieldChecks.descendingPath(subPath, at: path.child("subPath"))
        }
        if let subPathExpr, !subPathExpr.isEmpty {
            if !(subPath ?? "").isEmpty {
                errors.append(
                    .invalid(
                        path.child("subPathExpr"), subPathExpr, "subPathExpr and subPath are mutually exclusive"))
            }
            errors += FieldChecks.descendingPath(subPathExpr, at: path.child("subPathExpr"))
        }
        return errors
    }

    private func validatePropagation(at path: FieldPath, privileged: Bool) -> [FieldError] {
        var errors = FieldChecks.vocabulary(
            mountPropagation, Self.propagations, at: path.child("mountPropagation"))
        if mountPropagation == "Bidirectional" && !privileged {
            errors.append(
                .forbidden(
                    path.child("mountPropagation"),
                    "Bidirectional mount propagation is available only to privileged containers"))
        }
        guard let mode = recursiveReadOnly, !mode.isEmpty else { return errors }
        let modePath = path.child("recursiveReadOnly")
        errors += FieldChecks.vocabulary(mode, Self.recursiveReadOnlyModes, at: modePath)
        if mode == "Disabled" { return errors }
        if readOnly != true {
            errors.append(.forbidden(modePath, "may only be specified when readOnly is true"))
        }
        if let mountPropagation, mountPropagation != "None" {
            errors.append(
                .forbidden(modePath, "may only be specified when mountPropagation is None or not specified"))
        }
        return errors
    }
}

extension VolumeDevice {
    static func validate(
        _ devices: [VolumeDevice], at path: FieldPath, context: ContainerValidation, mountPaths: Set<String>
    ) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        var paths: Set<String> = []
        for (index, device) in devices.enumerated() {
            let path = path.index(index)
            if device.name.isEmpty {
                errors.append(.required(path.child("name")))
            } else if !names.insert(device.name).inserted {
                errors.append(.invalid(path.child("name"), device.name, "must be unique"))
            }
            switch context.volumesAreClaims[device.name] {
            case .none:
                if !device.name.isEmpty { errors.append(.notFound(path.child("name"), device.name)) }
            case .some(true):
                break
            case .some(false):
                errors.append(
                    .invalid(
                        path.child("name"), device.name,
                        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"))
            }
            if device.devicePath.isEmpty {
                errors.append(.required(path.child("devicePath")))
            } else {
                errors += FieldChecks.pathWithoutBacksteps(device.devicePath, at: path.child("devicePath"))
            }
            if !paths.insert(device.devicePath).inserted {
                errors.append(.invalid(path.child("devicePath"), device.devicePath, "must be unique"))
            }
            if mountPaths.contains(device.devicePath) {
                errors.append(
                    .invalid(path.child("devicePath"), device.devicePath, "must not already exist in volumeMounts"))
            }
        }
        return errors
    }
}
