internal import Crypto
internal import FoundationEssentials  // X509 takes validity as Foundation's Date.
internal import SwiftASN1
internal import X509

/// Signs the certificate requests of those signers that a cluster always has, with the endpoint's own authority.
struct CertificateSigner: Sendable {
    /// What one signer is for.
    enum Signer: String, CaseIterable, Sendable {
        /// People and programs that use the API.
        case client = "kubernetes.io/kube-apiserver-client"
        /// Nodes that use the API.
        case node = "kubernetes.io/kube-apiserver-client-kubelet"
        /// Nodes that serve their own API.
        case serving = "kubernetes.io/kubelet-serving"

        /// What it may sign for, and what it must.
        var usages: (allowed: Set<String>, demanded: String) {
            switch self {
            case .client, .node: (["digital signature", "key encipherment", "client auth"], "client auth")
            case .serving: (["digital signature", "key encipherment", "server auth"], "server auth")
            }
        }
    }

    /// Why a request is not signed: it does not fit its signer.
    struct Refusal: Error, CustomStringConvertible {
        var description: String
    }

    private let authority: Credential

    init(authority: CertificateAuthority) { self.authority = authority.ownCredential }

    /// The request inside of the base64 text, when it proves that its key is the asker's.
    static func request(_ text: String) throws(Refusal) -> X509.CertificateSigningRequest {
        guard let data = Data(base64Encoded: text) else { throw Refusal(description: "is no base64") }
        let request: X509.CertificateSigningRequest
        do {
            request = try X509.CertificateSigningRequest(pemEncoded: String(decoding: data, as: UTF8.self))
        } catch { throw Refusal(description: "is no certificate request in PEM: \(error)") }
        guard request.publicKey.isValidSignature(request.signature, for: request) else {
            throw Refusal(description: "is not signed by its own key")
        }
        return request
    }

    /// Organizations of the subject, which become groups.
    static func groups(of request: X509.CertificateSigningRequest) -> [String] {
        attributes(of: request, .RDNAttributeType.organizationName)
    }

    /// The name in the subject; nil when there is none, or more than one.
    static func name(in request: X509.CertificateSigningRequest) -> String? {
        let names = attributes(of: request, .RDNAttributeType.commonName)
        return names.count == 1 ? names[0] : nil
    }

    private static func attributes(
        of request: X509.CertificateSigningRequest, _ type: ASN1ObjectIdentifier
    ) -> [String] {
        request.subject.flatMap { $0 }.filter { $0.type == type }.compactMap { String($0.value) }
    }

    /// The certificate in PEM, in base64.
    /// - Parameters:
    ///   - text: the request as the object has it.
    ///   - seconds: how long it is to be good for at most; nil leaves it to the signer: a year.
    ///   - now: seconds since 1970.
    func sign(
        _ text: String, as signer: Signer, usages: [String], seconds: Int32?, now: Int64
    ) throws(Refusal) -> String {
        let request = try Self.request(text)
        try Self.check(request, signer, usages)
        let year = 365 * CertificateProfile.day
        // A minute back, so that a client whose clock is a little behind accepts it at once.
        let end = min(now + min(seconds.map(Int64.init) ?? year, year), authority.expiry)
        do {
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: request.publicKey,
                notValidBefore: Date(timeIntervalSince1970: Double(now - 60)),
                notValidAfter: Date(timeIntervalSince1970: Double(end)), issuer: authority.certificate.subject,
                subject: request.subject, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Self.extensions(request, signer, usages), issuerPrivateKey: .init(authority.key))
            let pem = try certificate.serializeAsPEM().pemString + "\n"
            return Data(pem.utf8).base64EncodedString()
        } catch { throw Refusal(description: "cannot be signed: \(error)") }
    }

    private static func check(
        _ request: X509.CertificateSigningRequest, _ signer: Signer, _ usages: [String]
    ) throws(Refusal) {
        let (allowed, demanded) = signer.usages
        guard usages.contains(demanded), Set(usages).isSubset(of: allowed) else {
            throw Refusal(description: "usages did not match: \(signer.rawValue) needs \"\(demanded)\"")
        }
        guard let name = name(in: request), !name.isEmpty else {
            throw Refusal(description: "the subject needs one common name")
        }
        if signer == .client { return }
        guard groups(of: request) == [Identity.nodesGroup], name.hasPrefix(Identity.nodePrefix),
            name.count > Identity.nodePrefix.count
        else {
            throw Refusal(description: "the subject must be O=\(Identity.nodesGroup), CN=\(Identity.nodePrefix)NAME")
        }
        let alternatives = alternativeNames(of: request)
        if signer == .node {
            guard alternatives.isEmpty else { throw Refusal(description: "subject alternative names are not allowed") }
            return
        }
        let areAddresses = alternatives.allSatisfy { name in
            switch name {
            case .dnsName, .ipAddress: true
            default: false
            }
        }
        guard !alternatives.isEmpty, areAddresses else {
            throw Refusal(
                description: "DNS names or IP addresses, and nothing else, are needed as subject alternative names")
        }
    }

    /// Names and addresses that the certificate is to be for.
    static func alternativeNames(of request: X509.CertificateSigningRequest) -> [GeneralName] {
        let asked = (try? request.attributes.extensionRequest)?.extensions
        return (try? asked?.subjectAlternativeNames).flatMap { $0 }.map(Array.init) ?? []
    }

    private static func extensions(
        _ request: X509.CertificateSigningRequest, _ signer: Signer, _ usages: [String]
    ) throws -> Certificate.Extensions {
        let (signs, enciphers) = (usages.contains("digital signature"), usages.contains("key encipherment"))
        let names = signer == .serving ? alternativeNames(of: request) : []
        return try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            // One without any use would say that the key may be used for nothing, in a form that is not even valid.
            if signs || enciphers { Critical(KeyUsage(digitalSignature: signs, keyEncipherment: enciphers)) }
            try ExtendedKeyUsage([signer == .serving ? .serverAuth : .clientAuth])
            if !names.isEmpty { SubjectAlternativeNames(names) }
        }
    }
}
