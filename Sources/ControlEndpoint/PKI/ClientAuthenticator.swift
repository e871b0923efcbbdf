internal import FoundationEssentials  // X509 gives validity as Foundation's Date.
internal import SwiftASN1
internal import X509

/// Turns a client certificate into an identity: signed by our authority, valid now, made for clients. The TLS handshake
/// has already proved that the client holds its key.
struct ClientAuthenticator: Sendable {
    private let authority: Certificate

    init(authority: CertificateAuthority) { self.authority = authority.certificate }

    /// Nil when the certificate proves nothing here.
    func identity(certificateDER bytes: [UInt8]) async -> Identity? {
        guard let certificate = try? Certificate(derEncoded: bytes),
            let usage = try? certificate.extensions.extendedKeyUsage, usage.contains(.clientAuth)
        else { return nil }
        var verifier = Verifier(rootCertificates: CertificateStore([authority])) { RFC5280Policy() }
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
