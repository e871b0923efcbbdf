extension Volume {
    static func validate(_ volumes: [Volume], at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, volume) in volumes.enumerated() {
            let path = path.index(index)
            errors += FieldChecks.requiredName(volume.name, at: path.child("name"), NameRules.dns1123Label)
            if !volume.name.isEmpty, !names.insert(volume.name).inserted {
                errors.append(.duplicate(path.child("name"), volume.name))
            }
            errors += volume.validateSources(at: path)
        }
        return errors
    }

    private func validateSources(at path: FieldPath) -> [FieldError] {
        let names = sourceNames
        if names.isEmpty { return [.required(path, "must specify a volume type")] }
        var errors: [FieldError] = names.dropFirst().map {
            .forbidden(path.child($0), "may not specify more than 1 volume type")
        }
        errors += emptyDir?.validate(at: path.child("emptyDir")) ?? []
        errors += hostPath?.validate(at: path.child("hostPath")) ?? []
        errors += configMap?.validate(at: path.child("configMap")) ?? []
        errors += secret?.validate(at: path.child("secret")) ?? []
        errors += downwardAPI?.validate(at: path.child("downwardAPI")) ?? []
        errors += projected?.validate(at: path.child("projected")) ?? []
        if let claim = persistentVolumeClaim, claim.claimName.isEmpty {
            errors.append(.required(path.child("persistentVolumeClaim", "claimName")))
        }
        errors += nfs?.validate(at: path.child("nfs")) ?? []
        errors += csi?.validate(at: path.child("csi")) ?? []
        if let ephemeral, ephemeral.volumeClaimTemplate == nil {
            errors.append(.required(path.child("ephemeral", "volumeClaimTemplate")))
        }
        if let image {
            let path = path.child("image")
            if (image.reference ?? "").isEmpty { errors.append(.required(path.child("reference"))) }
            errors += FieldChecks.vocabulary(image.pullPolicy, ImagePullPolicy.self, at: path.child("pullPolicy"))
        }
        return errors
    }
}

extension EmptyDirVolumeSource {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if let sizeLimit, sizeLimit.isNegative {
            errors.append(
                .forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity"))
        }
        let medium = medium ?? ""
        if !medium.utf8.starts(with: "HugePages".utf8) {
            errors += FieldChecks.vocabulary(
                medium, ["Memory", "HugePages", "HugePages-<size>"], at: path.child("medium"))
        }
        return errors
    }
}

extension HostPathVolumeSource {
    func validate(at path: FieldPath) -> [FieldError] {
        if self.path.isEmpty { return [.required(path.child("path"))] }
        return FieldChecks.pathWithoutBacksteps(self.path, at: path.child("path"))
            + FieldChecks.vocabulary(type, HostPathType.self, at: path.child("type"))
    }
}

extension ConfigMapVolumeSource {
    func validate(at path: FieldPath) -> [FieldError] {
        FieldChecks.requiredName(name, at: path.child("name"), NameRules.dns1123Subdomain)
            + FieldChecks.fileMode(defaultMode, at: path.child("defaultMode"))
            + KeyToPath.validate(items ?? [], at: path.child("items"))
    }
}

extension SecretVolumeSource {
    func validate(at path: FieldPath) -> [FieldError] {
        FieldChecks.requiredName(secretName, at: path.child("secretName"), NameRules.dns1123Subdomain)
            + FieldChecks.fileMode(defaultMode, at: path.child("defaultMode"))
            + KeyToPath.validate(items ?? [], at: path.child("items"))
    }
}

extension KeyToPath {
    static func validate(_ items: [KeyToPath], at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, item) in items.enumerated() {
            let path = path.index(index)
            if item.key.isEmpty { errors.append(.required(path.child("key"))) }
            errors +=
                item.path.isEmpty
                ? [.required(path.child("path"))] : FieldChecks.projectedPath(item.path, at: path.child("path"))
            errors += FieldChecks.fileMode(item.mode, at: path.child("mode"))
        }
        return errors
    }
}

extension DownwardAPIVolumeSource {
    func validate(at path: FieldPath) -> [FieldError] {
        FieldChecks.fileMode(defaultMode, at: path.child("defaultMode"))
            + DownwardAPIVolumeFile.validate(items ?? [], at: path.child("items"))
    }
}

extension DownwardAPIVolumeFile {
    static func validate(_ items: [DownwardAPIVolumeFile], at path: FieldPath) -> [FieldError] {
        items.enumerated().flatMap { $1.validate(at: path.index($0)) }
    }

    private func validate(at path: FieldPath) -> [FieldError] {
        var errors =
            self.path.isEmpty
            ? [FieldError.required(path.child("path"))] : FieldChecks.projectedPath(self.path, at: path.child("path"))
        errors += fieldRef?.validate(at: path.child("fieldRef"), supported: ObjectFieldSelector.volumePaths) ?? []
        errors += resourceFieldRef?.validate(at: path.child("resourceFieldRef"), isVolume: true) ?? []
        if fieldRef == nil && resourceFieldRef == nil {
            errors.append(.required(path.child("fieldRef"), "one of fieldRef and resourceFieldRef is required"))
        } else if fieldRef != nil && resourceFieldRef != nil {
            errors.append(
                .invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
        }
        return errors + FieldChecks.fileMode(mode, at: path.child("mode"))
    }
}

extension ProjectedVolumeSource {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.fileMode(defaultMode, at: path.child("defaultMode"))
        var paths: Set<String> = []
        for (index, source) in sources.enumerated() {
            let path = path.child("sources").index(index)
            errors += source.validate(at: path)
            for file in source.filePaths where !paths.insert(file).inserted {
                errors.append(.invalid(path, file, "conflicting duplicate paths"))
            }
        }
        return errors
    }
}

extension VolumeProjection {
    /// The files the source is known to make; a whole ConfigMap or Secret is only known when it is mounted.
    var filePaths: [String] {
        var paths = (secret?.items ?? []).map(\.path) + (configMap?.items ?? []).map(\.path)
        paths += (downwardAPI?.items ?? []).map(\.path)
        paths += [serviceAccountToken?.path, clusterTrustBundle?.path].compactMap(\.self)
        let certificate = [
            podCertificate?.credentialBundlePath, podCertificate?.keyPath, podCertificate?.certificateChainPath,
        ]
        return paths + certificate.compactMap(\.self).filter { !$0.isEmpty }
    }

    func validate(at path: FieldPath) -> [FieldError] {
        let isSet = [
            ("secret", secret != nil), ("downwardAPI", downwardAPI != nil), ("configMap", configMap != nil),
            ("serviceAccountToken", serviceAccountToken != nil), ("clusterTrustBundle", clusterTrustBundle != nil),
            ("podCertificate", podCertificate != nil),
        ].filter(\.1)
        if isSet.isEmpty { return [.required(path, "must specify a volume type")] }
        var errors: [FieldError] = isSet.dropFirst().map {
            .forbidden(path.child($0.0), "may not specify more than 1 volume type per source")
        }
        if let secret {
            let path = path.child("secret")
            errors += FieldChecks.requiredName(secret.name, at: path.child("name"), NameRules.dns1123Subdomain)
            errors += KeyToPath.validate(secret.items ?? [], at: path.child("items"))
        }
        if let configMap {
            let path = path.child("configMap")
            errors += FieldChecks.requiredName(configMap.name, at: path.child("name"), NameRules.dns1123Subdomain)
            errors += KeyToPath.validate(configMap.items ?? [], at: path.child("items"))
        }
        if let downwardAPI {
            errors += DownwardAPIVolumeFile.validate(
                downwardAPI.items ?? [], at: path.child("downwardAPI", "items"))
        }
        errors += serviceAccountToken?.validate(at: path.child("serviceAccountToken")) ?? []
        errors += clusterTrustBundle?.validate(at: path.child("clusterTrustBundle")) ?? []
        errors += podCertificate?.validate(at: path.child("podCertificate")) ?? []
        return errors
    }
}

extension ServiceAccountTokenProjection {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        let secondsPath = path.child("expirationSeconds")
        if let seconds = expirationSeconds {
            if seconds < 600 {
                errors.append(.invalid(secondsPath, seconds, "may not specify a duration less than 10 minutes"))
            } else if seconds > 1 << 32 {
                errors.append(
                    .invalid(secondsPath, seconds, "may not specify a duration larger than 2^32 seconds"))
            }
        }
        return errors
            + (self.path.isEmpty
                ? [.required(path.child("path"))] : FieldChecks.projectedPath(self.path, at: path.child("path")))
    }
}

extension ClusterTrustBundleProjection {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if (name == nil) == (signerName == nil) {
            errors.append(.required(path, "either name or signerName must be specified, and not both"))
        }
        return errors
            + (self.path.isEmpty
                ? [.required(path.child("path"))] : FieldChecks.projectedPath(self.path, at: path.child("path")))
    }
}

extension PodCertificateProjection {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if (signerName ?? "").isEmpty { errors.append(.required(path.child("signerName"))) }
        if (keyType ?? "").isEmpty { errors.append(.required(path.child("keyType"))) }
        let files = [
            ("credentialBundlePath", credentialBundlePath), ("keyPath", keyPath),
            ("certificateChainPath", certificateChainPath),
        ].filter { !($0.1 ?? "").isEmpty }
        if files.isEmpty {
            errors.append(
                .required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"))
        }
        for (field, file) in files { errors += FieldChecks.projectedPath(file ?? "", at: path.child(field)) }
        return errors
    }
}

extension NFSVolumeSource {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if server.isEmpty { errors.append(.required(path.child("server"))) }
        if self.path.isEmpty {
            errors.append(.required(path.child("path")))
        } else if self.path.utf8.first != UInt8(ascii: "/") {
            errors.append(.invalid(path.child("path"), self.path, "must be an absolute path"))
        }
        return errors + FieldChecks.withoutNUL(server, at: path.child("server"))
            + FieldChecks.withoutNUL(self.path, at: path.child("path"))
    }
}

extension CSIVolumeSource {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.requiredName(
            driver.lowercased(), at: path.child("driver"), NameRules.dns1123Subdomain)
        if driver.utf8.count > NameRules.labelMaximum {
            errors.append(.tooLong(path.child("driver"), maximumBytes: NameRules.labelMaximum))
        }
        if let secret = nodePublishSecretRef, secret.name.isEmpty {
            errors.append(.required(path.child("nodePublishSecretRef", "name")))
        }
        return errors
    }
}
