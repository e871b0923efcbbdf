extension Ingress: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        if (spec.rules ?? []).isEmpty, spec.defaultBackend == nil {
            errors.append(.invalid(path, [:], "either `defaultBackend` or `rules` must be specified"))
        }
        errors += spec.defaultBackend?.validate(at: path.child("defaultBackend")) ?? []
        if let name = spec.ingressClassName {
            errors += FieldChecks.name(name, at: path.child("ingressClassName"), NameRules.dns1123Subdomain)
        }
        for (index, rule) in (spec.rules ?? []).enumerated() {
            errors += rule.validate(at: path.child("rules").index(index))
        }
        for (index, tls) in (spec.tls ?? []).enumerated() {
            let path = path.child("tls").index(index).child("hosts")
            for (index, host) in (tls.hosts ?? []).enumerated() {
                errors += IngressRule.validate(host: host, at: path.index(index))
            }
        }
        return errors
    }

    public func validateUpdate(old: Ingress) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}

extension IngressRule {
    fileprivate static func validate(host: String, at path: FieldPath) -> [FieldError] {
        if IPAddressText.isValid(host) { return [.invalid(path, host, "must be a DNS name, not an IP address")] }
        return FieldChecks.name(
            host.hasPrefix("*.") ? String(host.dropFirst(2)) : host, at: path, NameRules.dns1123Subdomain)
    }

    fileprivate func validate(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if let host, !host.isEmpty { errors += Self.validate(host: host, at: path.child("host")) }
        guard let http else { return errors }
        let path = path.child("http", "paths")
        if http.paths.isEmpty { errors.append(.required(path)) }
        for (index, item) in http.paths.enumerated() { errors += item.validate(at: path.index(index)) }
        return errors
    }
}

extension HTTPIngressPath {
    fileprivate func validate(at place: FieldPath) -> [FieldError] {
        let text = path ?? ""
        var errors: [FieldError] = []
        switch pathType {
        case nil: errors.append(.required(place.child("pathType"), "pathType must be specified"))
        case "Exact"?, "Prefix"?:
            if !text.hasPrefix("/") {
                errors.append(.invalid(place.child("path"), text, "must be an absolute path"))
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] where text.contains(part) {
                errors.append(.invalid(place.child("path"), text, "must not contain '\(part)'"))
            }
            for end in ["/..", "/."] where text.hasSuffix(end) {
                errors.append(.invalid(place.child("path"), text, "cannot end with '\(end)'"))
            }
        case "ImplementationSpecific"?:
            if !text.isEmpty, !text.hasPrefix("/") {
                errors.append(.invalid(place.child("path"), text, "must be an absolute path"))
            }
        case let other?:
            errors.append(
                .notSupported(place.child("pathType"), other, ["Exact", "ImplementationSpecific", "Prefix"]))
        }
        return errors + backend.validate(at: place.child("backend"))
    }
}

extension IngressBackend {
    fileprivate func validate(at path: FieldPath) -> [FieldError] {
        guard let service else {
            return resource == nil ? [.required(path, "must specify a service or resource backend")] : []
        }
        if resource != nil {
            return [.invalid(path, "", "cannot set both resource and service backends")]
        }
        let path = path.child("service")
        var errors = FieldChecks.requiredName(service.name, at: path.child("name"), NameRules.dns1035Label)
        let (name, number) = (service.port?.name ?? "", service.port?.number ?? 0)
        switch (name.isEmpty, number == 0) {
        case (true, true): errors.append(.required(path, "port name or number is required"))
        case (false, false): errors.append(.invalid(path, "", "cannot set both port name & port number"))
        case (false, true): errors += FieldChecks.name(name, at: path.child("port", "name"), NameRules.portName)
        case (true, false): errors += FieldChecks.port(number, at: path.child("port", "number"))
        }
        return errors
    }
}

extension IngressClass: Validatable, UpdateValidatable {
    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        errors += FieldChecks.requiredName(spec.controller, at: path.child("controller"), NameRules.qualifiedName)
        guard let parameters = spec.parameters else { return errors }
        let place = path.child("parameters")
        if parameters.kind.isEmpty { errors.append(.required(place.child("kind"))) }
        if parameters.name.isEmpty { errors.append(.required(place.child("name"))) }
        errors += FieldChecks.vocabulary(parameters.scope, ["Cluster", "Namespace"], at: place.child("scope"))
        if parameters.scope == "Namespace", (parameters.namespace ?? "").isEmpty {
            errors.append(.required(place.child("namespace"), "when scope is set to 'Namespace'"))
        }
        return errors
    }

    public func validateUpdate(old: IngressClass) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if spec.controller != old.spec.controller {
            errors.append(
                .invalid(FieldPath("spec", "controller"), spec.controller ?? "", FieldChecks.immutable))
        }
        return errors
    }
}

extension IngressClass: Defaultable {
    public mutating func applyDefaults() {
        guard var parameters = spec.parameters else { return }
        parameters.scope = parameters.scope.orDefault("Cluster")
        spec.parameters = parameters
    }
}
