extension Service: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1035Label)
        let path = FieldPath("spec")
        errors += FieldChecks.vocabulary(spec.type, ServiceType.self, at: path.child("type"))
        errors += FieldChecks.vocabulary(
            spec.sessionAffinity, ["ClientIP", "None"], at: path.child("sessionAffinity"))
        errors += FieldChecks.range(
            spec.sessionAffinityConfig?.clientIP?.timeoutSeconds, 1...86_400,
            at: path.child("sessionAffinityConfig", "clientIP", "timeoutSeconds"))
        errors += FieldChecks.labels(spec.selector, at: path.child("selector"))
        errors += FieldChecks.vocabulary(
            spec.externalTrafficPolicy, ["Cluster", "Local"], at: path.child("externalTrafficPolicy"))
        errors += FieldChecks.vocabulary(
            spec.internalTrafficPolicy, ["Cluster", "Local"], at: path.child("internalTrafficPolicy"))
        errors += FieldChecks.vocabulary(
            spec.ipFamilyPolicy, ["SingleStack", "PreferDualStack", "RequireDualStack"],
            at: path.child("ipFamilyPolicy"))
        for (index, family) in (spec.ipFamilies ?? []).enumerated() {
            errors += FieldChecks.vocabulary(family, ["IPv4", "IPv6"], at: path.child("ipFamilies").index(index))
        }
        for (index, address) in (spec.externalIPs ?? []).enumerated() {
            errors += FieldChecks.ipAddress(address, at: path.child("externalIPs").index(index))
        }
        errors += validateClusterIPs(at: path)
        errors += validatePorts(at: path.child("ports"))
        return errors
    }

    public func validateUpdate(old: Service) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        let staysClusterIP =
            spec.type != ServiceType.externalName.rawValue && old.spec.type != ServiceType.externalName.rawValue
        if staysClusterIP, let oldIP = old.spec.clusterIP, !oldIP.isEmpty, spec.clusterIP != oldIP {
            errors.append(
                .invalid(FieldPath("spec", "clusterIP"), spec.clusterIP ?? "", FieldChecks.immutable))
        }
        return errors
    }

    private var isHeadless: Bool { spec.clusterIP == "None" }
    private var isExternalName: Bool { spec.type == ServiceType.externalName.rawValue }

    private func validateClusterIPs(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        let addresses = spec.clusterIPs ?? []
        if isExternalName {
            if !addresses.isEmpty || !(spec.clusterIP ?? "").isEmpty {
                errors.append(.forbidden(path.child("clusterIPs"), "may not be set for ExternalName services"))
            }
            let name = spec.externalName ?? ""
            if name.isEmpty {
                errors.append(.required(path.child("externalName")))
            } else {
                let bare = name.hasSuffix(".") ? String(name.dropLast()) : name
                errors += FieldChecks.name(bare, at: path.child("externalName"), NameRules.dns1123Subdomain)
            }
            return errors
        }
        if isHeadless {
            let type = spec.type.orDefault(ServiceType.clusterIP.rawValue)
            if type != ServiceType.clusterIP.rawValue {
                errors.append(
                    .invalid(
                        path.child("clusterIPs").index(0), "None",
                        "may not be set to 'None' for \(type ?? "") services"))
            }
        } else if let address = spec.clusterIP, !address.isEmpty {
            errors += FieldChecks.ipAddress(address, at: path.child("clusterIP"))
        }
        for (index, address) in addresses.enumerated() where !(index == 0 && address == "None") {
            errors += FieldChecks.ipAddress(address, at: path.child("clusterIPs").index(index))
        }
        if let first = addresses.first, let address = spec.clusterIP, !address.isEmpty, address != first {
            errors.append(
                .invalid(
                    path.child("clusterIPs"), .array(addresses.map(JSONValue.string)),
                    "first value must match `clusterIP`"))
        }
        return errors
    }

    private func validatePorts(at path: FieldPath) -> [FieldError] {
        let ports = spec.ports ?? []
        if ports.isEmpty { return isHeadless || isExternalName ? [] : [.required(path)] }
        var errors: [FieldError] = []
        var names: Set<String> = []
        var numbers: Set<String> = []
        var nodePorts: Set<String> = []
        for (index, port) in ports.enumerated() {
            let path = path.index(index)
            errors += port.validate(at: path, nameRequired: ports.count > 1)
            let family = port.protocol.orDefault("TCP") ?? "TCP"
            if let name = port.name, !name.isEmpty, !names.insert(name).inserted {
                errors.append(.duplicate(path.child("name"), name))
            }
            if !numbers.insert("\(family)/\(port.port)").inserted {
                let shown: JSONValue = .object(["port": .integer(Int64(port.port)), "protocol": .string(family)])
                errors.append(.duplicate(path, shown))
            }
            if let nodePort = port.nodePort, nodePort != 0 {
                if spec.type.orDefault(ServiceType.clusterIP.rawValue) == ServiceType.clusterIP.rawValue {
                    errors.append(
                        .forbidden(path.child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
                }
                if !nodePorts.insert("\(family)/\(nodePort)").inserted {
                    errors.append(.duplicate(path.child("nodePort"), .integer(Int64(nodePort))))
                }
            }
        }
        return errors
    }
}

extension ServicePort {
    func validate(at path: FieldPath, nameRequired: Bool) -> [FieldError] {
        var errors: [FieldError] = []
        if let name, !name.isEmpty {
            errors += FieldChecks.name(name, at: path.child("name"), NameRules.dns1123Label)
        } else if nameRequired {
            errors.append(.required(path.child("name")))
        }
        errors += FieldChecks.port(port, at: path.child("port"))
        errors += FieldChecks.vocabulary(`protocol`, ["TCP", "UDP", "SCTP"], at: path.child("protocol"))
        if let targetPort { errors += FieldChecks.port(targetPort, at: path.child("targetPort")) }
        if let nodePort, nodePort != 0 { errors += FieldChecks.port(nodePort, at: path.child("nodePort")) }
        if let appProtocol {
            errors += FieldChecks.name(appProtocol, at: path.child("appProtocol"), NameRules.qualifiedName)
        }
        return errors
    }
}
