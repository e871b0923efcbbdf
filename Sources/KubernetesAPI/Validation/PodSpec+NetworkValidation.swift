extension PodSpec {
    private static let nameserversMaximum = 3
    private static let searchesMaximum = 32
    private static let searchesMaximumBytes = 2048

    /// Checks DNS and hosts entries.
    func validateNetwork(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        let dnsPath = path.child("dnsConfig")
        if dnsPolicy == DNSPolicy.none.rawValue && (dnsConfig?.nameservers ?? []).isEmpty {
            errors.append(
                dnsConfig == nil
                    ? .required(dnsPath, "must provide `dnsConfig` when `dnsPolicy` is None")
                    : .required(
                        dnsPath.child("nameservers"),
                        "must provide at least one DNS nameserver when `dnsPolicy` is None"))
        }
        if let dnsConfig { errors += Self.validate(dnsConfig, at: dnsPath) }
        for (index, alias) in (hostAliases ?? []).enumerated() {
            let path = path.child("hostAliases").index(index)
            errors += FieldChecks.ipAddress(alias.ip, at: path.child("ip"))
            for (nameIndex, name) in (alias.hostnames ?? []).enumerated() {
                errors += FieldChecks.name(
                    name, at: path.child("hostnames").index(nameIndex), NameRules.dns1123Subdomain)
            }
        }
        return errors
    }

    private static func validate(_ config: PodDNSConfig, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        let nameservers = config.nameservers ?? []
        if nameservers.count > nameserversMaximum {
            errors.append(
                .invalid(
                    path.child("nameservers"), .array(nameservers.map(JSONValue.string)),
                    "must not have more than \(nameserversMaximum) nameservers"))
        }
        for (index, server) in nameservers.enumerated() {
            errors += FieldChecks.ipAddress(server, at: path.child("nameservers").index(index))
        }
        let searches = config.searches ?? []
        if searches.count > searchesMaximum {
            errors.append(
                .invalid(
                    path.child("searches"), .array(searches.map(JSONValue.string)),
                    "must not have more than \(searchesMaximum) search paths"))
        }
        if searches.joined(separator: " ").utf8.count > searchesMaximumBytes {
            errors.append(
                .invalid(
                    path.child("searches"), .array(searches.map(JSONValue.string)),
                    "must not have more than \(searchesMaximumBytes) characters (including spaces) in the search list"))
        }
        for (index, search) in searches.enumerated() where search != "." {
            // A trailing dot marks an absolute name; underscores appear in service domains.
            let name = search.hasSuffix(".") ? String(search.dropLast()) : search
            errors += NameRules.dns1123Subdomain(name.replacingUnderscores()).map {
                .invalid(path.child("searches").index(index), search, $0)
            }
        }
        for (index, option) in (config.options ?? []).enumerated() {
            let path = path.child("options").index(index)
            if (option.name ?? "").isEmpty { errors.append(.required(path, "must not be empty")) }
            // The file is written line by line: a line break would start another directive.
            for (field, value) in [("name", option.name), ("value", option.value)]
            where value?.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) ?? false {
                errors.append(.invalid(path.child(field), value ?? "", "must not contain control characters"))
            }
        }
        return errors
    }
}

extension String {
    /// The name with every underscore as a letter, for rules that allow underscores wherever letters are.
    fileprivate func replacingUnderscores() -> String {
        String(decoding: utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "a") : $0 }, as: UTF8.self)
    }
}
