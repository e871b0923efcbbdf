internal import Crypto
internal import FoundationEssentials  // X509 takes validity as Foundation's Date.
internal import Glibc
internal import LinuxKernel
public import Logging
internal import X509

/// The endpoint's own certificate authority and the files of everything it has issued.
///
/// Each credential is one file, `<name>.pem` with mode 0600, replaced atomically. What cannot be read is moved aside
/// under a telling name and issued anew.
public struct CertificateAuthority: Sendable {
    private let directory: String
    private let credential: Credential
    private let now: @Sendable () -> Int64

    /// The certificate clients trust, as PEM.
    public var certificatePEM: String { credential.certificatePEM }
    var certificate: Certificate { credential.certificate }
    /// Its own key and certificate.
    var ownCredential: Credential { credential }

    /// Loads or makes the authority in `directory`, which is created with mode 0700.
    /// - Parameter clock: seconds since 1970; the system's clock when not given.
    public static func loadOrCreate(
        directory: String, logger: Logger,
        now clock: (@Sendable () -> Int64)? = nil
    ) throws(CertificateError) -> CertificateAuthority {
        let now = clock ?? { Int64(Glibc.time(nil)) }
        do {
            try FileSystem.makeDirectories(directory, mode: 0o700)
            let path = directory + "/ca.pem"
            var credential = Self.read(path, logger: logger)
            if let present = credential, present.isDueForRenewal(now: now()) {
                // The same key under a new certificate: everything issued before stays valid.
                credential = try Self.selfSigned(key: present.key, now: now())
                logger.notice("certificate authority renewed", metadata: ["path": "\(path)"])
            } else if let present = credential {
                return CertificateAuthority(directory: directory, credential: present, now: now)
            }
            let made = try credential ?? Self.selfSigned(key: P256.Signing.PrivateKey(), now: now())
            try FileSystem.writeAtomically(path, Array(made.pem.utf8), mode: 0o600)
            try FileSystem.writeAtomically(directory + "/ca.crt", Array(made.certificatePEM.utf8), mode: 0o644)
            return CertificateAuthority(directory: directory, credential: made, now: now)
        } catch {
            throw CertificateError(name: "ca", directory: directory, reason: String(describing: error))
        }
    }

    /// The stored credential of that name when it is still good for `profile`, else a new one, stored.
    func credential(
        _ name: String, _ profile: CertificateProfile, logger: Logger
    ) throws(CertificateError) -> Credential {
        let path = "\(directory)/\(name).pem"
        if let present = Self.read(path, logger: logger), isGood(present, for: profile) { return present }
        do {
            let made = try issue(profile)
            try FileSystem.writeAtomically(path, Array(made.pem.utf8), mode: 0o600)
            logger.info("certificate issued", metadata: ["path": "\(path)"])
            return made
        } catch {
            throw CertificateError(name: name, directory: directory, reason: String(describing: error))
        }
    }

    /// Signs a new certificate with a new key.
    func issue(_ profile: CertificateProfile) throws -> Credential {
        let key = P256.Signing.PrivateKey()
        // A minute back, so that a client whose clock is a little behind accepts it at once.
        let begin = now() - 60
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: Double(begin)),
            notValidAfter: Date(timeIntervalSince1970: Double(begin + profile.lifetimeSeconds)),
            issuer: credential.certificate.subject, subject: profile.subject(),
            signatureAlgorithm: .ecdsaWithSHA256, extensions: profile.extensions(),
            issuerPrivateKey: .init(credential.key))
        return try Credential(certificate: certificate, key: key)
    }

    private func isGood(_ present: Credential, for profile: CertificateProfile) -> Bool {
        guard !present.isDueForRenewal(now: now()),
            let subject = try? profile.subject(), present.certificate.subject == subject,
            credential.certificate.publicKey.isValidSignature(
                present.certificate.signature, for: present.certificate)
        else { return false }
        let wanted = Set(profile.subjectAlternativeNames.map(CertificateProfile.generalName))
        let names = (try? present.certificate.extensions.subjectAlternativeNames).map { $0.map(Set.init) ?? [] } ?? []
        return wanted == names
    }

    private static func selfSigned(key: P256.Signing.PrivateKey, now: Int64) throws -> Credential {
        let profile = CertificateProfile.authority
        let subject = try profile.subject()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: Double(now - 60)),
            notValidAfter: Date(timeIntervalSince1970: Double(now - 60 + profile.lifetimeSeconds)),
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: profile.extensions(), issuerPrivateKey: .init(key))
        return try Credential(certificate: certificate, key: key)
    }

    /// Reads a credential. Nil when there is none; a file that cannot be used is moved aside, so that nothing is lost.
    private static func read(_ path: String, logger: Logger) -> Credential? {
        guard FileSystem.exists(path) else { return nil }
        do {
            let text = try FileSystem.readText(path, limit: 1 << 16)
            return try Credential(pem: text)
        } catch {
            let aside = "\(path).unreadable-\(Glibc.time(nil))"
            rename(path, aside)
            logger.error(
                "stored certificate cannot be used and was moved aside; a new one is issued",
                metadata: ["path": "\(path)", "aside": "\(aside)", "reason": "\(error)"])
            return nil
        }
    }
}

/// A certificate could not be made or stored.
public struct CertificateError: Error, Sendable, CustomStringConvertible {
    public let name: String
    public let directory: String
    public let reason: String

    public var description: String { "cannot prepare the certificate \(name) in \(directory): \(reason)" }
}
