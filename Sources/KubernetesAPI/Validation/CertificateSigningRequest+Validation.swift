extension CertificateSigningRequest: Validatable, UpdateValidatable {
    /// Every use a certificate can be asked for.
    private static let usages: Set<String> = [
        "signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment",
        "cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing",
        "email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing",
        "microsoft sgc", "netscape sgc",
    ]
    /// Seconds; a certificate that is gone before anybody uses it helps nobody.
    private static let shortestLife: Int32 = 600

    public func validate() -> [FieldError] {
        var errors = metadata.validate(namespaced: false, name: NameRules.dns1123Subdomain)
        let path = FieldPath("spec")
        errors += validateSignerName(at: path.child("signerName"))
        if spec.request.isEmpty { errors.append(.required(path.child("request"))) }
        if (spec.usages ?? []).isEmpty { errors.append(.required(path.child("usages"))) }
        var seen: Set<String> = []
        for (index, usage) in (spec.usages ?? []).enumerated() {
            let place = path.child("usages").index(index)
            if !Self.usages.contains(usage) { errors.append(.notSupported(place, usage, Self.usages.sorted())) }
            if !seen.insert(usage).inserted { errors.append(.duplicate(place, usage)) }
        }
        if let seconds = spec.expirationSeconds, seconds < Self.shortestLife {
            errors.append(
                .invalid(
                    path.child("expirationSeconds"), seconds,
                    "may not specify a duration less than 600 seconds (10 minutes)"))
        }
        return errors + validateConditions()
    }

    private func validateSignerName(at path: FieldPath) -> [FieldError] {
        guard !spec.signerName.isEmpty else { return [.required(path)] }
        if spec.signerName == "kubernetes.io/legacy-unknown" {
            return [.invalid(path, spec.signerName, "the legacy signerName is not allowed via this API version")]
        }
        let parts = spec.signerName.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, String(parts[0]).contains("."),
            NameRules.dns1123Subdomain(String(parts[0])).isEmpty
        else {
            return [
                .invalid(
                    path, spec.signerName,
                    "must be a fully qualified domain and path of the form 'example.com/signer-name'")
            ]
        }
        return []
    }

    private func validateConditions() -> [FieldError] {
        let path = FieldPath("status", "conditions")
        let conditions = status?.conditions ?? []
        var errors: [FieldError] = []
        for (index, condition) in conditions.enumerated() {
            if condition.type.isEmpty { errors.append(.required(path.index(index).child("type"))) }
            if ["Approved", "Denied", "Failed"].contains(condition.type), condition.status != "True" {
                errors.append(.notSupported(path.index(index).child("status"), condition.status, ["True"]))
            }
        }
        if conditions.contains(where: { $0.type == "Approved" }), conditions.contains(where: { $0.type == "Denied" }) {
            errors.append(.invalid(path, "Denied", "Approved and Denied conditions are mutually exclusive"))
        }
        return errors
    }

    public func validateUpdate(old: CertificateSigningRequest) -> [FieldError] {
        metadata.validateUpdate(old: old.metadata)
    }
}
