extension NetworkPolicy: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        spec.podSelector = spec.podSelector ?? LabelSelector()
        if (spec.policyTypes ?? []).isEmpty {
            spec.policyTypes = (spec.egress ?? []).isEmpty ? ["Ingress"] : ["Ingress", "Egress"]
        }
        spec.ingress = spec.ingress?.map { rule in
            var rule = rule
            rule.ports = Self.filled(rule.ports)
            return rule
        }
        spec.egress = spec.egress?.map { rule in
            var rule = rule
            rule.ports = Self.filled(rule.ports)
            return rule
        }
    }

    private static func filled(_ ports: [NetworkPolicyPort]?) -> [NetworkPolicyPort]? {
        ports?.map { port in
            var port = port
            port.protocol = port.protocol.orDefault("TCP")
            return port
        }
    }

    public func validate() -> [FieldError] {
        let path = FieldPath("spec")
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        errors += spec.podSelector?.validate(at: path.child("podSelector")) ?? []
        for (index, type) in (spec.policyTypes ?? []).enumerated() where !["Egress", "Ingress"].contains(type) {
            errors.append(.notSupported(path.child("policyTypes").index(index), type, ["Egress", "Ingress"]))
        }
        for (index, rule) in (spec.ingress ?? []).enumerated() {
            let path = path.child("ingress").index(index)
            errors += Self.validate(rule.ports, rule.from, at: path, peers: "from")
        }
        for (index, rule) in (spec.egress ?? []).enumerated() {
            let path = path.child("egress").index(index)
            errors += Self.validate(rule.ports, rule.to, at: path, peers: "to")
        }
        return errors
    }

    private static func validate(
        _ ports: [NetworkPolicyPort]?, _ peers: [NetworkPolicyPeer]?, at path: FieldPath, peers name: String
    ) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, port) in (ports ?? []).enumerated() {
            errors += port.validate(at: path.child("ports").index(index))
        }
        for (index, peer) in (peers ?? []).enumerated() { errors += peer.validate(at: path.child(name).index(index)) }
        return errors
    }

    public func validateUpdate(old: NetworkPolicy) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}

extension NetworkPolicyPort {
    fileprivate func validate(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.vocabulary(`protocol`, ["SCTP", "TCP", "UDP"], at: path.child("protocol"))
        if let port { errors += FieldChecks.port(port, at: path.child("port")) }
        guard let endPort else { return errors }
        switch port {
        case nil: errors.append(.required(path.child("port"), "must be specified when `endPort` is"))
        case .string?: errors.append(.invalid(path.child("endPort"), endPort, "may not be set beside a named port"))
        case .int(let first)?:
            if endPort < first {
                errors.append(.invalid(path.child("endPort"), endPort, "must be greater than or equal to `port`"))
            }
            errors += FieldChecks.port(endPort, at: path.child("endPort"))
        }
        return errors
    }
}

extension NetworkPolicyPeer {
    fileprivate func validate(at path: FieldPath) -> [FieldError] {
        var errors = podSelector?.validate(at: path.child("podSelector")) ?? []
        errors += namespaceSelector?.validate(at: path.child("namespaceSelector")) ?? []
        guard let ipBlock else {
            if podSelector == nil, namespaceSelector == nil {
                errors.append(.required(path, "must specify a peer"))
            }
            return errors
        }
        if podSelector != nil || namespaceSelector != nil {
            errors.append(.forbidden(path, "may not specify both ipBlock and another peer"))
        }
        let path = path.child("ipBlock")
        for (place, text) in [(path.child("cidr"), ipBlock.cidr)]
            + (ipBlock.except ?? []).enumerated().map({ (path.child("except").index($0), $1) })
        where !IPAddressText.isCIDR(text) {
            errors.append(.invalid(place, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"))
        }
        return errors
    }
}
