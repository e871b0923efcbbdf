/// What a container's checks need to know of its pod.
struct ContainerValidation {
    /// The volumes by name, with whether each is a claim (the only kind that can be a block device).
    let volumesAreClaims: [String: Bool]
    let claimNames: Set<String>
    let hostNetwork: Bool
    let hostUsers: Bool
    let gracePeriodSeconds: Int64

    init(spec: PodSpec) {
        volumesAreClaims = Dictionary(
            (spec.volumes ?? []).map { ($0.name, $0.persistentVolumeClaim != nil || $0.ephemeral != nil) },
            uniquingKeysWith: { first, _ in first })
        claimNames = Set((spec.resourceClaims ?? []).map(\.name))
        hostNetwork = spec.hostNetwork ?? false
        hostUsers = spec.hostUsers ?? true
        gracePeriodSeconds = spec.terminationGracePeriodSeconds ?? 30
    }
}

extension Container {
    func validate(at path: FieldPath, context: ContainerValidation, isInit: Bool) -> [FieldError] {
        var errors = validateCommon(at: path, context: context)
        errors += validateImage(at: path)
        let isSidecar = isInit && restartPolicy == RestartPolicy.always.rawValue
        if isInit && !isSidecar {
            let hooks: [(String, Bool)] = [
                ("lifecycle", lifecycle != nil), ("livenessProbe", livenessProbe != nil),
                ("readinessProbe", readinessProbe != nil), ("startupProbe", startupProbe != nil),
            ]
            for (field, isSet) in hooks where isSet {
                errors.append(
                    .forbidden(path.child(field), "may not be set for init containers without restartPolicy=Always"))
            }
        } else {
            let grace = context.gracePeriodSeconds
            errors += lifecycle?.validate(at: path.child("lifecycle"), gracePeriodSeconds: grace) ?? []
            errors += livenessProbe?.validate(at: path.child("livenessProbe"), kind: .liveness) ?? []
            errors += readinessProbe?.validate(at: path.child("readinessProbe"), kind: .readiness) ?? []
            errors += startupProbe?.validate(at: path.child("startupProbe"), kind: .startup) ?? []
        }
        errors += validateRestart(at: path)
        return errors
    }

    /// What holds for ephemeral containers as well.
    func validateCommon(at path: FieldPath, context: ContainerValidation) -> [FieldError] {
        var errors = FieldChecks.requiredName(name, at: path.child("name"), NameRules.dns1123Label)
        errors += FieldChecks.vocabulary(
            terminationMessagePolicy, ["File", "FallbackToLogsOnError"], at: path.child("terminationMessagePolicy"))
        errors += FieldChecks.vocabulary(imagePullPolicy, ImagePullPolicy.self, at: path.child("imagePullPolicy"))
        errors += FieldChecks.withoutNUL(command, at: path.child("command"))
        errors += FieldChecks.withoutNUL(args, at: path.child("args"))
        for (field, value) in [("workingDir", workingDir), ("terminationMessagePath", terminationMessagePath)] {
            errors += FieldChecks.withoutNUL(value ?? "", at: path.child(field))
        }
        errors += ContainerPort.validate(ports ?? [], at: path.child("ports"), hostNetwork: context.hostNetwork)
        errors += EnvVar.validate(env ?? [], at: path.child("env"))
        for (index, source) in (envFrom ?? []).enumerated() {
            errors += source.validate(at: path.child("envFrom").index(index))
        }
        errors += VolumeMount.validate(
            volumeMounts ?? [], at: path.child("volumeMounts"), context: context,
            devicePaths: Set((volumeDevices ?? []).map(\.devicePath)),
            privileged: securityContext?.privileged ?? false)
        errors += VolumeDevice.validate(
            volumeDevices ?? [], at: path.child("volumeDevices"), context: context,
            mountPaths: Set((volumeMounts ?? []).map(\.mountPath)))
        errors += resources?.validate(at: path.child("resources"), claims: context.claimNames) ?? []
        errors += securityContext?.validate(at: path.child("securityContext"), hostUsers: context.hostUsers) ?? []
        return errors
    }

    func validateImage(at path: FieldPath) -> [FieldError] {
        guard let image, !image.isEmpty else { return [.required(path.child("image"))] }
        var errors = FieldChecks.withoutNUL(image, at: path.child("image"))
        if image.first?.isWhitespace ?? false || image.last?.isWhitespace ?? false {
            errors.append(.invalid(path.child("image"), image, "must not have leading or trailing whitespace"))
        }
        return errors
    }

    private func validateRestart(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.vocabulary(restartPolicy, RestartPolicy.self, at: path.child("restartPolicy"))
        let rules = restartPolicyRules ?? []
        let rulesPath = path.child("restartPolicyRules")
        if !rules.isEmpty && (restartPolicy ?? "").isEmpty {
            errors.append(
                .required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used"))
        }
        if rules.count > 20 { errors.append(.tooMany(rulesPath, actual: rules.count, maximum: 20)) }
        for (index, rule) in rules.prefix(20).enumerated() {
            let path = rulesPath.index(index)
            if (rule.action ?? "").isEmpty { errors.append(.required(path.child("action"))) }
            errors += FieldChecks.vocabulary(
                rule.action, ["Restart", "RestartAllContainers"], at: path.child("action"))
            guard let exitCodes = rule.exitCodes else {
                errors.append(.required(path.child("exitCodes"), "must be specified"))
                continue
            }
            let codesPath = path.child("exitCodes")
            if (exitCodes.operator ?? "").isEmpty { errors.append(.required(codesPath.child("operator"))) }
            errors += FieldChecks.vocabulary(exitCodes.operator, ["In", "NotIn"], at: codesPath.child("operator"))
            let values = exitCodes.values ?? []
            if values.isEmpty {
                errors.append(.required(codesPath.child("values"), "must have at least one value"))
            } else if values.count > 255 {
                errors.append(.tooMany(codesPath.child("values"), actual: values.count, maximum: 255))
            }
        }
        for (index, policy) in (resizePolicy ?? []).enumerated() {
            let path = path.child("resizePolicy").index(index)
            errors += FieldChecks.vocabulary(policy.resourceName, ["cpu", "memory"], at: path.child("resourceName"))
            errors += FieldChecks.vocabulary(
                policy.restartPolicy, ["NotRequired", "RestartContainer"], at: path.child("restartPolicy"))
            if policy.resourceName.isEmpty { errors.append(.required(path.child("resourceName"))) }
            if policy.restartPolicy.isEmpty { errors.append(.required(path.child("restartPolicy"))) }
        }
        return errors
    }
}

extension EphemeralContainer {
    /// - Parameter targets: the names of the pod's other containers.
    func validate(at path: FieldPath, context: ContainerValidation, targets: Set<String>) -> [FieldError] {
        var errors = container.validateCommon(at: path, context: context)
        errors += container.validateImage(at: path)
        if let target = targetContainerName, !target.isEmpty, !targets.contains(target) {
            errors.append(.notFound(path.child("targetContainerName"), target))
        }
        let forbidden: [(String, Bool)] = [
            ("ports", !(ports ?? []).isEmpty), ("livenessProbe", livenessProbe != nil),
            ("readinessProbe", readinessProbe != nil), ("startupProbe", startupProbe != nil),
            ("lifecycle", lifecycle != nil), ("resources", resources.map { $0 != ResourceRequirements() } ?? false),
            ("resizePolicy", !(resizePolicy ?? []).isEmpty), ("restartPolicy", restartPolicy != nil),
            ("restartPolicyRules", !(restartPolicyRules ?? []).isEmpty),
        ]
        for (field, isSet) in forbidden where isSet {
            errors.append(.forbidden(path.child(field), "cannot be set for an Ephemeral Container"))
        }
        for (index, mount) in (volumeMounts ?? []).enumerated() {
            let path = path.child("volumeMounts").index(index)
            if !(mount.subPath ?? "").isEmpty {
                errors.append(.forbidden(path.child("subPath"), "cannot be set for an Ephemeral Container"))
            }
            if !(mount.subPathExpr ?? "").isEmpty {
                errors.append(.forbidden(path.child("subPathExpr"), "cannot be set for an Ephemeral Container"))
            }
        }
        return errors
    }
}

extension ContainerPort {
    static func validate(_ ports: [ContainerPort], at path: FieldPath, hostNetwork: Bool) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let path = path.index(index)
            if let name = port.name, !name.isEmpty {
                errors += FieldChecks.name(name, at: path.child("name"), NameRules.portName)
                if !names.insert(name).inserted { errors.append(.duplicate(path.child("name"), name)) }
            }
            if port.containerPort == 0 {
                errors.append(.required(path.child("containerPort")))
            } else {
                errors += FieldChecks.port(port.containerPort, at: path.child("containerPort"))
            }
            if let hostPort = port.hostPort, hostPort != 0 {
                errors += FieldChecks.port(hostPort, at: path.child("hostPort"))
                if hostNetwork && hostPort != port.containerPort {
                    errors.append(
                        .invalid(
                            path.child("containerPort"), port.containerPort,
                            "must match `hostPort` when `hostNetwork` is true"))
                }
            }
            if let hostIP = port.hostIP, !hostIP.isEmpty {
                errors += FieldChecks.ipAddress(hostIP, at: path.child("hostIP"))
            }
            errors += FieldChecks.vocabulary(port.protocol, ["TCP", "UDP", "SCTP"], at: path.child("protocol"))
        }
        return errors
    }
}
