internal import Crypto
internal import FoundationEssentials  // Base64 of Data.
internal import SwiftASN1
internal import X509

/// What a node asks its API server to sign, so that whoever connects to the node can be sure that it is this one: a new key, and the
/// request for a certificate (signer `kubernetes.io/kubelet-serving`).
struct ServingCertificateRequest: Sendable {
    private let key: P256.Signing.PrivateKey
    /// PKCS #10, in PEM, in base64, as `spec.request` has it.
    let encoded: String

    init(nodeName: String, addresses: [String]) throws {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName {
            OrganizationName(Identity.nodesGroup)
            CommonName(Identity.nodePrefix + nodeName)
        }
        let names = Self.names(nodeName: nodeName, addresses: addresses)
        let extensions = try Certificate.Extensions {
            SubjectAlternativeNames(names.map(CertificateProfile.generalName))
        }
        let request = try X509.CertificateSigningRequest(
            version: .v1, subject: subject, privateKey: .init(key),
            attributes: CertificateSigningRequest.Attributes([.init(ExtensionRequest(extensions: extensions))]))
        self.key = key
        encoded = Data((try request.serializeAsPEM().pemString + "\n").utf8).base64EncodedString()
    }

    /// What the certificate is to name.
    static func names(nodeName: String, addresses: [String]) -> [String] {
        [nodeName] + addresses.filter { CertificateProfile.addressBytes($0) != nil }
    }

    /// The credential with the certificate that came back.
    /// - Parameter certificate: PEM in base64, as `status.certificate` has it.
    /// - Throws: when it is not for this key.
    func credential(_ certificate: String) throws -> Credential {
        guard let data = Data(base64Encoded: certificate) else { throw CredentialError.noCertificate }
        let documents = try PEMDocument.parseMultiple(pemString: String(decoding: data, as: UTF8.self))
        guard let first = documents.first(where: { $0.discriminator == Certificate.defaultPEMDiscriminator }) else {
            throw CredentialError.noCertificate
        }
        let certificate = try Certificate(pemDocument: first)
        guard certificate.publicKey == Certificate.PublicKey(key.publicKey) else { throw CredentialError.mismatch }
        return try Credential(certificate: certificate, key: key)
    }
}

extension Credential {
    /// Whether it still serves a node of this name and these addresses.
    /// - Parameter authorities: who must have signed it; empty when that is not known.
    func serves(_ names: [String], at now: Int64, authorities: [Certificate]) -> Bool {
        guard !isDueForRenewal(now: now) else { return false }
        let own = (try? certificate.extensions.subjectAlternativeNames).flatMap { $0 }.map { Set($0) } ?? []
        guard own == Set(names.map(CertificateProfile.generalName)) else { return false }
        return authorities.isEmpty
            || authorities.contains { $0.publicKey.isValidSignature(certificate.signature, for: certificate) }
    }
}
