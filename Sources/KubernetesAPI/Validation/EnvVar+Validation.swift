extension EnvVar {
    static func validate(_ variables: [EnvVar], at path: FieldPath) -> [FieldError] {
        variables.enumerated().flatMap { $1.validate(at: path.index($0)) }
    }

    func validate(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.requiredName(name, at: path.child("name"), NameRules.environmentVariable)
        // The value may be a secret: it is named by its path only.
        if value?.utf8.contains(0) ?? false {
            errors.append(.invalid(path.child("value"), "<redacted>", "must not contain the NUL character"))
        }
        if let valueFrom {
            errors += valueFrom.validate(at: path.child("valueFrom"))
            if !(value ?? "").isEmpty {
                errors.append(
                    .invalid(path.child("valueFrom"), "", "may not be specified when `value` is not empty"))
            }
        }
        return errors
    }
}

extension EnvVarSource {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        let isSet = [
            fieldRef != nil, resourceFieldRef != nil, configMapKeyRef != nil, secretKeyRef != nil, fileKeyRef != nil,
        ]
        let count = isSet.count { $0 }
        if count == 0 {
            errors.append(
                .invalid(
                    path, "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or "
                        + "`fileKeyRef`"))
        } else if count > 1 {
            errors.append(.invalid(path, "", "may not have more than one field specified at a time"))
        }
        errors +=
            fieldRef?.validate(at: path.child("fieldRef"), supported: ObjectFieldSelector.environmentPaths) ?? []
        errors += resourceFieldRef?.validate(at: path.child("resourceFieldRef"), isVolume: false) ?? []
        if let ref = configMapKeyRef { errors += Self.key(ref.name, ref.key, at: path.child("configMapKeyRef")) }
        if let ref = secretKeyRef { errors += Self.key(ref.name, ref.key, at: path.child("secretKeyRef")) }
        if let ref = fileKeyRef {
            let path = path.child("fileKeyRef")
            errors += FieldChecks.requiredName(ref.volumeName, at: path.child("volumeName"), NameRules.dns1123Label)
            errors += FieldChecks.requiredName(ref.key, at: path.child("key"), NameRules.environmentVariable)
            errors +=
                ref.path.isEmpty
                ? [.required(path.child("path"))]
                : FieldChecks.projectedPath(ref.path, at: path.child("path"))
        }
        return errors
    }

    private static func key(_ name: String, _ key: String, at path: FieldPath) -> [FieldError] {
        FieldChecks.requiredName(name, at: path.child("name"), NameRules.dns1123Subdomain)
            + FieldChecks.requiredName(key, at: path.child("key"), NameRules.dataKey)
    }
}

extension ObjectFieldSelector {
    static let environmentPaths = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ]
    static let volumePaths = [
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
    ]

    /// - Parameter supported: the paths allowed besides one label or annotation by key.
    func validate(at path: FieldPath, supported: [String]) -> [FieldError] {
        var errors = FieldChecks.vocabulary(apiVersion, ["v1"], at: path.child("apiVersion"))
        let fieldPath = path.child("fieldPath")
        guard !self.fieldPath.isEmpty else { return errors + [.required(fieldPath)] }
        if let subscripted {
            switch subscripted.map {
            case "metadata.labels":
                errors += FieldChecks.name(subscripted.key, at: fieldPath, NameRules.qualifiedName)
            case "metadata.annotations":
                errors += NameRules.qualifiedName(subscripted.key.lowercased()).map {
                    .invalid(fieldPath, subscripted.key, $0)
                }
            default:
                errors.append(.invalid(fieldPath, subscripted.map, "does not support subscript"))
            }
        } else if !supported.contains(self.fieldPath) {
            errors.append(.notSupported(fieldPath, self.fieldPath, supported))
        }
        return errors
    }

    /// The map and key of a path like `metadata.labels['app']`; nil for a plain path.
    public var subscripted: (map: String, key: String)? {
        guard let open = fieldPath.firstRange(of: "['"), fieldPath.hasSuffix("']") else { return nil }
        let end = fieldPath.index(fieldPath.endIndex, offsetBy: -2)
        guard open.upperBound <= end else { return nil }
        return (String(fieldPath[..<open.lowerBound]), String(fieldPath[open.upperBound..<end]))
    }
}

extension ResourceFieldSelector {
    private static let names = [
        "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
        "requests.memory",
    ]

    /// - Parameter isVolume: files of a volume belong to the pod, so they must name the container.
    func validate(at path: FieldPath, isVolume: Bool) -> [FieldError] {
        var errors: [FieldError] = []
        if isVolume && (containerName ?? "").isEmpty { errors.append(.required(path.child("containerName"))) }
        let isHugePages =
            resource.utf8.starts(with: "limits.hugepages-".utf8)
            || resource.utf8.starts(with: "requests.hugepages-".utf8)
        if resource.isEmpty {
            errors.append(.required(path.child("resource")))
        } else if !isHugePages && !Self.names.contains(resource) {
            errors.append(.notSupported(path.child("resource"), resource, Self.names))
        } else if let divisor, !divisor.isZero {
            errors += validate(divisor, at: path.child("divisor"))
        }
        return errors
    }

    private func validate(_ divisor: Quantity, at path: FieldPath) -> [FieldError] {
        let isCPU = resource.hasSuffix(".cpu")
        let sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"]
        let allowed = isCPU ? ["1m", "1"] : sizes
        guard !allowed.contains(divisor.description) else { return [] }
        let detail =
            isCPU
            ? "only divisor's values 1m and 1 are supported with the cpu resource"
            : "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with "
                + "the \(resource) resource"
        return [.invalid(path, divisor.description, detail)]
    }
}

extension EnvFromSource {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if let prefix, !prefix.isEmpty {
            errors += FieldChecks.name(prefix, at: path.child("prefix"), NameRules.environmentVariable)
        }
        if let configMapRef {
            let path = path.child("configMapRef", "name")
            errors += FieldChecks.requiredName(configMapRef.name, at: path, NameRules.dns1123Subdomain)
        }
        if let secretRef {
            let path = path.child("secretRef", "name")
            errors += FieldChecks.requiredName(secretRef.name, at: path, NameRules.dns1123Subdomain)
        }
        if configMapRef == nil && secretRef == nil {
            errors.append(.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        } else if configMapRef != nil && secretRef != nil {
            errors.append(.invalid(path, "", "may not have more than one field specified at a time"))
        }
        return errors
    }
}
