extension EndpointSlice: Defaultable, Validatable, UpdateValidatable {
    private static let addressLimit = 100
    private static let endpointLimit = 1000
    private static let portLimit = 20000

    public mutating func applyDefaults() {
        ports = ports?.map { port in
            var port = port
            port.name = port.name ?? ""
            port.protocol = port.protocol.orDefault("TCP")
            return port
        }
    }

    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        let types = ["FQDN", "IPv4", "IPv6"]
        if addressType.isEmpty {
            errors.append(.required(FieldPath("addressType")))
        } else if !types.contains(addressType) {
            errors.append(.notSupported(FieldPath("addressType"), addressType, types))
        }
        if endpoints.count > Self.endpointLimit {
            errors.append(
                .tooMany(FieldPath("endpoints"), actual: endpoints.count, maximum: Self.endpointLimit))
        } else {
            for (index, endpoint) in endpoints.enumerated() {
                errors += validate(endpoint, at: FieldPath("endpoints").index(index))
            }
        }
        if (ports ?? []).count > Self.portLimit {
            errors.append(.tooMany(FieldPath("ports"), actual: (ports ?? []).count, maximum: Self.portLimit))
        } else {
            errors += EndpointPort.validate(ports, at: FieldPath("ports"), isPortRequired: false)
        }
        return errors
    }

    private func validate(_ endpoint: Endpoint, at path: FieldPath) -> [FieldError] {
        let place = path.child("addresses")
        if endpoint.addresses.isEmpty { return [.required(place, "must contain at least 1 address")] }
        if endpoint.addresses.count > Self.addressLimit {
            return [.tooMany(place, actual: endpoint.addresses.count, maximum: Self.addressLimit)]
        }
        var errors: [FieldError] = []
        for (index, address) in endpoint.addresses.enumerated() {
            let place = place.index(index)
            switch addressType {
            case "IPv4":
                if !IPAddressText.isIPv4(address) {
                    errors.append(.invalid(place, address, "must be a valid IPv4 address"))
                }
            case "IPv6":
                if !IPAddressText.isIPv6(address) {
                    errors.append(.invalid(place, address, "must be a valid IPv6 address"))
                }
            default: errors += FieldChecks.name(address, at: place, NameRules.dns1123Subdomain)
            }
        }
        if let node = endpoint.nodeName {
            errors += FieldChecks.name(node, at: path.child("nodeName"), NameRules.dns1123Subdomain)
        }
        if let hostname = endpoint.hostname {
            errors += FieldChecks.name(hostname, at: path.child("hostname"), NameRules.dns1123Label)
        }
        return errors
    }

    public func validateUpdate(old: EndpointSlice) -> [FieldError] {
        var errors = metadata.validateUpdate(old: old.metadata)
        if addressType != old.addressType {
            errors.append(.invalid(FieldPath("addressType"), addressType, FieldChecks.immutable))
        }
        return errors
    }
}

extension EndpointPort {
    fileprivate static func validate(
        _ ports: [EndpointPort]?, at path: FieldPath, isPortRequired: Bool
    ) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, port) in (ports ?? []).enumerated() {
            let path = path.index(index)
            let name = port.name ?? ""
            if !name.isEmpty { errors += FieldChecks.name(name, at: path.child("name"), NameRules.dns1123Label) }
            if !names.insert(name).inserted { errors.append(.duplicate(path.child("name"), name)) }
            errors += FieldChecks.vocabulary(port.protocol, ["SCTP", "TCP", "UDP"], at: path.child("protocol"))
            if isPortRequired || port.port != nil {
                errors += FieldChecks.port(port.port ?? 0, at: path.child("port"))
            }
        }
        return errors
    }
}

extension Endpoints: Defaultable, Validatable, UpdateValidatable {
    public mutating func applyDefaults() {
        subsets = subsets?.map { subset in
            var subset = subset
            subset.ports = subset.ports?.map { port in
                var port = port
                port.protocol = port.protocol.orDefault("TCP")
                return port
            }
            return subset
        }
    }

    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: true, name: NameRules.dns1123Subdomain)
        for (index, subset) in (subsets ?? []).enumerated() {
            let path = FieldPath("subsets").index(index)
            let lists = [("addresses", subset.addresses ?? []), ("notReadyAddresses", subset.notReadyAddresses ?? [])]
            if lists.allSatisfy({ $0.1.isEmpty }) {
                errors.append(.required(path, "must specify `addresses` or `notReadyAddresses`"))
            }
            for (name, addresses) in lists {
                for (index, address) in addresses.enumerated() where !IPAddressText.isValid(address.ip) {
                    errors.append(
                        .invalid(
                            path.child(name).index(index).child("ip"), address.ip,
                            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
                }
            }
            errors += EndpointPort.validate(subset.ports, at: path.child("ports"), isPortRequired: true)
        }
        return errors
    }

    public func validateUpdate(old: Endpoints) -> [FieldError] { metadata.validateUpdate(old: old.metadata) }
}
