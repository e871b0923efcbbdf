import Crypto
import CryptoExtras
import KubernetesAPI

/// A public key that vouches for images: ECDSA on P-256, Ed25519, or RSA of 2048 bits and more, all as cosign signs with them.
public struct SignatureKey: Hashable, Sendable {
    private enum Algorithm: Sendable {
        case ecdsa(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    private let algorithm: Algorithm
    /// SHA-256 of the key's SubjectPublicKeyInfo: what a record names it by.
    public let fingerprint: String

    private static let limitBytes = 16 << 10
    /// All of an Ed25519 SubjectPublicKeyInfo that comes before its 32 bytes (RFC 8410).
    private static let ed25519Prefix: [UInt8] = [
        0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
    ]

    /// Reads one `-----BEGIN PUBLIC KEY-----` block, as `cosign generate-key-pair` and `openssl pkey -pubout` write it; `nil` for
    /// anything else.
    public init?(pem text: String) {
        guard text.utf8.count <= Self.limitBytes else { return nil }
        let bare = text.split(whereSeparator: \.isNewline).map { line in
            let rest = line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }
            return String(rest.reversed())
        }.filter { !$0.isEmpty }
        guard bare.count >= 3, bare.first == "-----BEGIN PUBLIC KEY-----", bare.last == "-----END PUBLIC KEY-----",
            let der = Base64.decode(bare.dropFirst().dropLast().joined())
        else { return nil }
        if der.starts(with: Self.ed25519Prefix), der.count == Self.ed25519Prefix.count + 32,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: der.dropFirst(Self.ed25519Prefix.count))
        {
            algorithm = .ed25519(key)
        } else if let key = try? P256.Signing.PublicKey(derRepresentation: der) {
            algorithm = .ecdsa(key)
        } else if let key = try? _RSA.Signing.PublicKey(derRepresentation: der) {
            algorithm = .rsa(key)
        } else {
            return nil
        }
        fingerprint = ContentDigest(of: der).hexadecimal
    }

    /// Whether `signature` is this key's over `payload`: ECDSA and RSA (PKCS #1 v1.5) with SHA-256, Ed25519 over the bytes themselves.
    func verifies(_ signature: [UInt8], of payload: [UInt8]) -> Bool {
        switch algorithm {
        case .ecdsa(let key):
            guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: SHA256.hash(data: payload))
        case .ed25519(let key): return key.isValidSignature(signature, for: payload)
        case .rsa(let key):
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return key.isValidSignature(signature, for: SHA256.hash(data: payload), padding: .insecurePKCS1v1_5)
        }
    }

    public static func == (left: SignatureKey, right: SignatureKey) -> Bool { left.fingerprint == right.fingerprint }

    public func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
}
