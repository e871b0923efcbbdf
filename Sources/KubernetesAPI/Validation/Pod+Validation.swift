extension Pod: Validatable {
    /// Everything wrong with the pod, after ``Pod/applyDefaults()``.
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        errors += spec.validate(at: FieldPath("spec"))
        return errors
    }

    /// What only a new pod may not have, beyond ``validate()``.
    public func validateCreate() -> [FieldError] {
        guard !(spec.ephemeralContainers ?? []).isEmpty else { return [] }
        return [
            .forbidden(
                FieldPath("spec", "ephemeralContainers"),
                "cannot be set on create; add them to the running pod through the subresource ephemeralcontainers")
        ]
    }
}

extension PodSpec {
    /// The largest number of seconds and ids the API takes where it stores 64 bits: what fits 31 bits.
    static let maximumInt31: Int64 = 2_147_483_647

    /// More containers or volumes than any node could start; keeps a hostile object from costing quadratic work.
    static let maximumEntries = 10_000

    func validate(at path: FieldPath) -> [FieldError] {
        let tooMany = [
            ("containers", containers.count), ("initContainers", initContainers?.count ?? 0),
            ("ephemeralContainers", ephemeralContainers?.count ?? 0), ("volumes", volumes?.count ?? 0),
        ].filter { $0.1 > Self.maximumEntries }
        guard tooMany.isEmpty else {
            return tooMany.map { .tooMany(path.child($0.0), actual: $0.1, maximum: Self.maximumEntries) }
        }
        var errors = Volume.validate(volumes ?? [], at: path.child("volumes"))
        errors += validateContainers(at: path)
        errors += validateScalars(at: path)
        errors += validateNames(at: path)
        errors += validateHost(at: path)
        errors += validateNetwork(at: path)
        errors += validateScheduling(at: path)
        errors += securityContext?.validate(at: path.child("securityContext")) ?? []
        errors += resources?.validate(at: path.child("resources")) ?? []
        errors += FieldChecks.quantities(overhead, at: path.child("overhead"))
        errors += validateResourceClaims(at: path.child("resourceClaims"))
        return errors
    }

    private func validateContainers(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if containers.isEmpty { errors.append(.required(path.child("containers"))) }
        var names: Set<String> = []
        let context = ContainerValidation(spec: self)
        for (index, container) in (initContainers ?? []).enumerated() {
            let path = path.child("initContainers").index(index)
            errors += container.validate(at: path, context: context, isInit: true)
            if !container.name.isEmpty, !names.insert(container.name).inserted {
                errors.append(.duplicate(path.child("name"), container.name))
            }
        }
        for (index, container) in containers.enumerated() {
            let path = path.child("containers").index(index)
            errors += container.validate(at: path, context: context, isInit: false)
            if !container.name.isEmpty, !names.insert(container.name).inserted {
                errors.append(.duplicate(path.child("name"), container.name))
            }
        }
        errors += validateHostPortsAreUnique(at: path)
        let targets = names
        for (index, container) in (ephemeralContainers ?? []).enumerated() {
            let path = path.child("ephemeralContainers").index(index)
            errors += container.validate(at: path, context: context, targets: targets)
            if !container.name.isEmpty, !names.insert(container.name).inserted {
                errors.append(.duplicate(path.child("name"), container.name))
            }
        }
        return errors
    }

    /// Two containers of a pod share the host's ports, so none may be taken twice.
    private func validateHostPortsAreUnique(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var taken: Set<String> = []
        for (index, container) in containers.enumerated() {
            for (portIndex, port) in (container.ports ?? []).enumerated() {
                guard let hostPort = port.hostPort, hostPort != 0 else { continue }
                let key = "\(port.hostIP.orDefault("0.0.0.0") ?? "")/\(hostPort)/\(port.protocol ?? "TCP")"
                if !taken.insert(key).inserted {
                    errors.append(
                        .duplicate(
                            path.child("containers").index(index).child("ports").index(portIndex).child("hostPort"),
                            .integer(Int64(hostPort))))
                }
            }
        }
        return errors
    }

    private func validateScalars(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.vocabulary(restartPolicy, RestartPolicy.self, at: path.child("restartPolicy"))
        errors += FieldChecks.vocabulary(dnsPolicy, DNSPolicy.self, at: path.child("dnsPolicy"))
        errors += FieldChecks.vocabulary(
            preemptionPolicy, ["PreemptLowerPriority", "Never"], at: path.child("preemptionPolicy"))
        errors += FieldChecks.range(
            activeDeadlineSeconds, 1...Self.maximumInt31, at: path.child("activeDeadlineSeconds"))
        errors += FieldChecks.notNegative(
            terminationGracePeriodSeconds, at: path.child("terminationGracePeriodSeconds"))
        if let os {
            if os.name.isEmpty {
                errors.append(.required(path.child("os", "name")))
            } else {
                errors += FieldChecks.vocabulary(os.name, ["linux", "windows"], at: path.child("os", "name"))
            }
        }
        return errors
    }

    private func validateNames(at path: FieldPath) -> [FieldError] {
        let labels = [("hostname", hostname), ("subdomain", subdomain)]
        let subdomains = [
            ("serviceAccountName", serviceAccountName), ("nodeName", nodeName), ("schedulerName", schedulerName),
            ("priorityClassName", priorityClassName), ("runtimeClassName", runtimeClassName),
            ("hostnameOverride", hostnameOverride),
        ]
        var errors: [FieldError] = []
        for (field, value) in labels where !(value ?? "").isEmpty {
            errors += FieldChecks.name(value ?? "", at: path.child(field), NameRules.dns1123Label)
        }
        for (field, value) in subdomains where !(value ?? "").isEmpty {
            errors += FieldChecks.name(value ?? "", at: path.child(field), NameRules.dns1123Subdomain)
        }
        if let hostnameOverride, hostnameOverride.utf8.count > 64 {
            errors.append(.tooLong(path.child("hostnameOverride"), maximumBytes: 64))
        }
        for (index, secret) in (imagePullSecrets ?? []).enumerated() {
            let path = path.child("imagePullSecrets").index(index).child("name")
            errors += FieldChecks.requiredName(secret.name, at: path, NameRules.dns1123Subdomain)
        }
        return errors
    }

    private func validateHost(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if shareProcessNamespace == true && hostPID == true {
            errors.append(
                .invalid(
                    path.child("shareProcessNamespace"), .bool(true),
                    "ShareProcessNamespace and HostPID cannot both be enabled"))
        }
        if hostUsers == false {
            for (field, value) in [("hostNetwork", hostNetwork), ("hostPID", hostPID), ("hostIPC", hostIPC)]
            where value == true {
                errors.append(.forbidden(path.child(field), "when `hostUsers` is false"))
            }
        }
        if setHostnameAsFQDN == true && hostnameOverride != nil {
            errors.append(
                .forbidden(path.child("hostnameOverride"), "may not be set together with `setHostnameAsFQDN`"))
        }
        if hostNetwork == true && hostnameOverride != nil {
            errors.append(.forbidden(path.child("hostnameOverride"), "may not be set when `hostNetwork` is true"))
        }
        return errors
    }

    private func validateResourceClaims(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, claim) in (resourceClaims ?? []).enumerated() {
            let path = path.index(index)
            errors += FieldChecks.requiredName(claim.name, at: path.child("name"), NameRules.dns1123Label)
            if !claim.name.isEmpty, !names.insert(claim.name).inserted {
                errors.append(.duplicate(path.child("name"), claim.name))
            }
            if (claim.resourceClaimName == nil) == (claim.resourceClaimTemplateName == nil) {
                errors.append(
                    .invalid(
                        path, claim.name,
                        "must specify exactly one of: `resourceClaimName`, `resourceClaimTemplateName`"))
            }
        }
        return errors
    }
}
