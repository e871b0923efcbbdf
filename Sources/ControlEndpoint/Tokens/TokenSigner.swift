internal import Crypto
internal import FoundationEssentials  // Crypto's signatures are Foundation's Data.
internal import Glibc
internal import KubernetesAPI
internal import LinuxKernel
internal import Logging

/// The key that signs the tokens of service accounts: ES256, kept in `pki/service-account.pem` with mode 0600.
struct TokenSigner: Sendable {
    static let algorithm = "ES256"

    private let key: P256.Signing.PrivateKey
    /// Names the key, as the `kid` of tokens and of the published key: the digest of its public part.
    let keyID: String

    init(key: P256.Signing.PrivateKey) {
        self.key = key
        keyID = Base64URL.encode(Array(SHA256.hash(data: key.publicKey.derRepresentation)))
    }

    /// A key for one process, for endpoints that keep nothing.
    static func ephemeral() -> TokenSigner { TokenSigner(key: P256.Signing.PrivateKey()) }

    /// Loads the key or makes one. A file that cannot be used is moved aside; the tokens it signed are then no longer
    /// accepted, and pods get new ones when theirs are due.
    static func loadOrCreate(directory: String, logger: Logger) throws(CertificateError) -> TokenSigner {
        let path = directory + "/service-account.pem"
        if FileSystem.exists(path) {
            do {
                let text = try FileSystem.readText(path, limit: 1 << 16)
                return TokenSigner(key: try P256.Signing.PrivateKey(pemRepresentation: text))
            } catch {
                let aside = "\(path).unreadable-\(Glibc.time(nil))"
                rename(path, aside)
                logger.error(
                    "stored token key cannot be used and was moved aside; a new one is made",
                    metadata: ["path": "\(path)", "aside": "\(aside)", "reason": "\(error)"])
            }
        }
        let key = P256.Signing.PrivateKey()
        do {
            try FileSystem.writeAtomically(path, Array(key.pemRepresentation.utf8), mode: 0o600)
        } catch {
            throw CertificateError(name: "service-account", directory: directory, reason: "\(error)")
        }
        return TokenSigner(key: key)
    }

    func token(claims: JSONValue) throws -> String {
        let header: JSONValue = ["alg": .string(Self.algorithm), "kid": .string(keyID)]
        return try JSONWebToken.text(header: header, claims: claims) { bytes in
            Array(try key.signature(for: bytes).rawRepresentation)
        }
    }

    /// Whether this key signed the token. The algorithm is ours to say, never the token's.
    func signed(_ token: JSONWebToken) -> Bool {
        guard token.header.string("alg") == Self.algorithm, token.header.string("kid") == keyID,
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: token.signature)
        else { return false }
        return key.publicKey.isValidSignature(signature, for: token.signedPart)
    }

    /// The public key for verifiers elsewhere (RFC 7517).
    var publicKeySet: JSONValue {
        let point = Array(key.publicKey.rawRepresentation)
        return [
            "keys": [
                [
                    "use": "sig", "kty": "EC", "crv": "P-256", "alg": .string(Self.algorithm), "kid": .string(keyID),
                    "x": .string(Base64URL.encode(point.prefix(32))), "y": .string(Base64URL.encode(point.suffix(32))),
                ]
            ]
        ]
    }
}
