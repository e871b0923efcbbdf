internal import FoundationEssentials  // X509 gives validity as Foundation's Date.
internal import SwiftASN1
internal import X509

/// Turns a client certificate into an identity: signed by an authority of ours, valid now, made for clients. The TLS handshake
/// has already proved that the client holds its key.
public struct ClientAuthenticator: Sendable {
    private let authorities: [Certificate]

    public init(authority: CertificateAuthority) { authorities = [authority.certificate] }

    init(authorities: [Certificate]) { self.authorities = authorities }

    /// - Parameter pem: one certificate or more, all of which are trusted to say who clients are.
    /// - Throws: when that is no PEM with at least one certificate.
    public init(authoritiesPEM pem: String) throws {
        authorities = try PEMDocument.parseMultiple(pemString: pem)
            .filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
            .map { try Certificate(pemDocument: $0) }
        guard !authorities.isEmpty else { throw CredentialError.noCertificate }
    }

    /// Nil when the certificate proves nothing here.
    public func identity(certificateDER bytes: [UInt8]) async -> Identity? {
        guard let certificate = try? Certificate(derEncoded: bytes),
            let usage = try? certificate.extensions.extendedKeyUsage, usage.contains(.clientAuth)
        else { return nil }
        var verifier = Verifier(rootCertificates: CertificateStore(authorities)) { RFC5280Policy() }
        let result = await verifier.validate(leaf: certificate, intermediates: CertificateStore())
        guard case .validCertificate = result else { return nil }
        var names: [String] = []
        var groups: Set<String> = []
        for attribute in certificate.subject.flatMap({ $0 }) {
            guard let text = String(attribute.value) else { return nil }
            if attribute.type == .RDNAttributeType.commonName { names.append(text) }
            if attribute.type == .RDNAttributeType.organizationName { groups.insert(text) }
        }
        guard names.count == 1, !names[0].isEmpty else { return nil }
        return Identity(
            name: names[0], groups: groups, expiry: Int64(certificate.notValidAfter.timeIntervalSince1970))
    }
}
