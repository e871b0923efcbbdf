internal import Glibc
internal import SwiftASN1
internal import X509

/// What a certificate is for: its subject, names, use and lifetime.
struct CertificateProfile: Sendable {
    /// Certificates are renewed at start when less than this part of their life is left.
    static let renewalFraction = 1.0 / 3.0
    static let day: Int64 = 86_400

    enum Usage: Sendable {
        case authority, server, client
    }

    var commonName: String
    var organization: String?
    /// DNS names and IP addresses in text form; those that parse as an address become address entries.
    var subjectAlternativeNames: [String] = []
    var usage: Usage
    var lifetimeSeconds: Int64

    static let authority = CertificateProfile(
        commonName: "swiftlet-ca", usage: .authority, lifetimeSeconds: 3650 * day)

    static func serving(names: [String]) -> CertificateProfile {
        var unique: [String] = []
        for name in names where !name.isEmpty && !unique.contains(name) { unique.append(name) }
        return CertificateProfile(
            commonName: "swiftlet-control-endpoint", subjectAlternativeNames: unique, usage: .server,
            lifetimeSeconds: 365 * day)
    }

    /// The person who runs the node: may do everything.
    static let admin = CertificateProfile(
        commonName: Identity.administratorName, organization: Identity.mastersGroup, usage: .client,
        lifetimeSeconds: 365 * day)

    static func node(_ name: String) -> CertificateProfile {
        CertificateProfile(
            commonName: Identity.nodePrefix + name, organization: Identity.nodesGroup, usage: .client,
            lifetimeSeconds: 365 * day)
    }

    func subject() throws -> DistinguishedName {
        if let organization {
            return try DistinguishedName {
                OrganizationName(organization)
                CommonName(commonName)
            }
        }
        return try DistinguishedName { CommonName(commonName) }
    }

    func extensions() throws -> Certificate.Extensions {
        switch usage {
        case .authority:
            return try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
            }
        case .server:
            return try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(subjectAlternativeNames.map(Self.generalName))
            }
        case .client:
            return try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.clientAuth])
            }
        }
    }

    /// A name as it is written into a certificate.
    static func generalName(_ name: String) -> GeneralName {
        if let bytes = addressBytes(name) { return .ipAddress(ASN1OctetString(contentBytes: bytes[...])) }
        return .dnsName(name)
    }

    /// The bytes of an IPv4 or IPv6 address, or nil when the text is none.
    static func addressBytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: &six) { Array($0) } }
        return nil
    }
}
