import KubernetesAPI

/// Who may use a pulled image without asking the registry again: whoever could have pulled it here.
///
/// Kept with the image, as fingerprints of the credentials that have opened it; a digest tells nothing of a password.
struct ImageAccess: Hashable, Sendable {
    struct Grant: Hashable, Sendable {
        /// Pulled by nobody in particular, or with the node's own credentials.
        var everyone = false
        var fingerprints: Set<String> = []
    }

    /// By `registry/repository`.
    private(set) var grants: [String: Grant] = [:]

    private static let fingerprintLimit = 1000

    init() {}

    init?(_ value: JSONValue) {
        guard let members = value.objectValue else { return nil }
        for (repository, grant) in members {
            guard let everyone = grant["everyone"]?.boolValue, let texts = grant["credentials"]?.arrayValue else {
                return nil
            }
            grants[repository] = Grant(everyone: everyone, fingerprints: Set(texts.compactMap(\.stringValue)))
        }
    }

    var json: JSONValue {
        .object(
            grants.mapValues { grant in
                [
                    "everyone": .bool(grant.everyone),
                    "credentials": .array(grant.fingerprints.sorted().map { .string($0) }),
                ]
            })
    }

    /// Somebody has pulled it from `repository`.
    mutating func record(repository: String, credential: RegistryCredential?) {
        var grant = grants[repository] ?? Grant()
        switch credential?.source {
        case nil, .node: grant.everyone = true
        case .secret:
            guard let credential, grant.fingerprints.count < Self.fingerprintLimit else { return }
            grant.fingerprints.insert(credential.fingerprint)
        }
        grants[repository] = grant
    }

    mutating func merge(_ other: ImageAccess) {
        for (repository, grant) in other.grants {
            grants[repository, default: Grant()].everyone = (grants[repository]?.everyone ?? false) || grant.everyone
            grants[repository]?.fingerprints.formUnion(grant.fingerprints)
        }
    }

    /// Whether somebody with these credentials may use it under the name of `repository`; nil for any of its names.
    func permits(repository: String?, credentials: [RegistryCredential]) -> Bool {
        let fitting = repository.map { name in grants[name].map { [$0] } ?? [] } ?? Array(grants.values)
        return fitting.contains { grant in
            grant.everyone || credentials.contains { grant.fingerprints.contains($0.fingerprint) }
        }
    }
}
