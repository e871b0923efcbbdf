internal import Crypto
internal import FoundationEssentials  // X509 gives validity as Foundation's Date.
internal import SwiftASN1
internal import X509

/// A certificate and its private key, as PEM.
public struct Credential: Sendable {
    public let certificatePEM: String
    /// Secret: never logged, never in a message.
    public let privateKeyPEM: String

    let certificate: Certificate
    let key: P256.Signing.PrivateKey

    init(certificate: Certificate, key: P256.Signing.PrivateKey) throws {
        self.certificate = certificate
        self.key = key
        certificatePEM = try certificate.serializeAsPEM().pemString
        privateKeyPEM = key.pemRepresentation
    }

    /// Reads what ``pem`` wrote.
    init(pem: String) throws {
        let documents = try PEMDocument.parseMultiple(pemString: pem)
        guard let certificateDocument = documents.first(where: { $0.discriminator == "CERTIFICATE" }),
            let keyDocument = documents.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") })
        else { throw CredentialError.incomplete }
        let certificate = try Certificate(pemDocument: certificateDocument)
        let key = try P256.Signing.PrivateKey(pemRepresentation: keyDocument.pemString)
        guard certificate.publicKey == Certificate.PublicKey(key.publicKey) else { throw CredentialError.mismatch }
        try self.init(certificate: certificate, key: key)
    }

    /// Key and certificate in one text, so that one atomic file write replaces both.
    var pem: String { privateKeyPEM + "\n" + certificatePEM + "\n" }

    /// Seconds since 1970 of the last moment of validity.
    var expiry: Int64 { Int64(certificate.notValidAfter.timeIntervalSince1970) }

    /// True when less than a third of the life is left, or when it has not begun (the clock was wrong when it was
    /// made).
    func isDueForRenewal(now: Int64) -> Bool {
        let begin = Int64(certificate.notValidBefore.timeIntervalSince1970)
        if now < begin { return true }
        let life = Double(max(1, expiry - begin))
        return Double(expiry - now) < life * CertificateProfile.renewalFraction
    }
}

extension Certificate {
    /// The certificate in its binary form.
    var derBytes: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(self)
            return serializer.serializedBytes
        }
    }
}

/// Why a stored credential cannot be used.
enum CredentialError: Error, CustomStringConvertible {
    case incomplete, mismatch, noCertificate

    var description: String {
        switch self {
        case .incomplete: "the file does not hold one certificate and one private key"
        case .noCertificate: "the file does not hold a certificate"
        case .mismatch: "the private key does not belong to the certificate"
        }
    }
}
