import KubernetesAPI

/// What a credential provider is asked and what it answers (`credentialprovider.kubelet.k8s.io/v1`).
struct CredentialProviderReply: Sendable {
    /// For which other images an answer counts.
    enum CacheKey: String, Hashable, Sendable {
        case image = "Image"
        case registry = "Registry"
        case global = "Global"
    }

    let cacheKey: CacheKey
    /// Nil leaves it to the configuration.
    let cacheDuration: Duration?
    let keyring: RegistryKeyring

    /// A CredentialProviderRequest for `registry/repository`.
    static func request(_ reference: ImageReference, apiVersion: String) -> [UInt8] {
        let request: JSONValue = [
            "apiVersion": .string(apiVersion), "kind": "CredentialProviderRequest", "image": .string(reference.name),
        ]
        return request.serialized()
    }

    /// Reads a CredentialProviderResponse.
    ///
    /// - Throws: ``ImageError/Code/invalidCredentials`` in words that do not repeat what was read.
    init(parsing bytes: [UInt8], apiVersion: String, subject: String) throws(ImageError) {
        func invalid(_ reason: String) -> ImageError {
            ImageError(.invalidCredentials, "\(subject): its answer \(reason)")
        }
        guard let document = try? JSONValue(parsing: bytes), document.objectValue != nil else {
            throw invalid("is not a JSON object")
        }
        guard document["kind"]?.stringValue == "CredentialProviderResponse" else {
            throw invalid("is not of kind CredentialProviderResponse")
        }
        guard document["apiVersion"]?.stringValue == apiVersion else {
            throw invalid("is not of the apiVersion \(apiVersion) it was asked in")
        }
        guard let key = document["cacheKeyType"]?.stringValue.flatMap(CacheKey.init) else {
            throw invalid("has a cacheKeyType other than Image, Registry and Global")
        }
        cacheKey = key
        switch document["cacheDuration"] {
        case nil, .null?: cacheDuration = nil
        case let value?:
            guard let duration = value.stringValue.flatMap({ Duration(kubernetes: $0) }), duration >= .zero else {
                throw invalid("has a cacheDuration that is no duration such as 6h0m0s")
            }
            cacheDuration = duration
        }
        var auths = document["auth"] ?? .object([:])
        if auths == .null { auths = .object([:]) }
        // The same map as in a docker configuration file, of which it knows two fields.
        let entries = auths.objectValue?.mapValues { entry -> JSONValue in
            .object((entry.objectValue ?? [:]).filter { $0.key == "username" || $0.key == "password" })
        }
        guard let entries, auths.objectValue?.values.allSatisfy({ $0.objectValue != nil }) == true else {
            throw invalid("has an auth that is no map of usernames and passwords")
        }
        keyring = try RegistryKeyring(
            parsing: JSONValue.object(entries).serialized(), isLegacy: true, source: .node, subject: subject)
    }
}
