/// Who to be for a registry. Its description never shows the secret.
public struct RegistryCredential: Hashable, Sendable, CustomStringConvertible {
    public enum Secret: Hashable, Sendable {
        case password(user: String, password: String)
        /// A refresh token for the registry's token server (`identitytoken`).
        case identityToken(String)
        /// A token to be sent as it is (`registrytoken`).
        case registryToken(String)
    }

    /// Where it was found: decides who else may use an image that was pulled with it.
    public enum Source: Hashable, Sendable {
        /// The node's own file: for every pod.
        case node
        case secret(namespace: String, name: String, uid: String)
    }

    public let secret: Secret
    public let source: Source

    public init(_ secret: Secret, source: Source) {
        self.secret = secret
        self.source = source
    }

    public var description: String {
        switch source {
        case .node: "credential of the node"
        case .secret(let namespace, let name, _): "credential in secret \(namespace)/\(name)"
        }
    }

    /// What stands for the secret in a record: a digest over all of it, each part with its length.
    var fingerprint: String {
        let parts: [String] =
            switch secret {
            case .password(let user, let password): ["password", user, password]
            case .identityToken(let token): ["identity", token]
            case .registryToken(let token): ["registry", token]
            }
        return ContentDigest(of: parts.flatMap { Array("\($0.utf8.count):\($0)".utf8) }).hexadecimal
    }
}
