import FoundationEssentials
import Glibc
import LinuxKernel
import Logging
import Synchronization
import Testing
import X509

@testable import ControlEndpoint

@Suite("Certificates")
struct CertificateAuthorityTests {
    private static let logger = Logger(label: "test")
    private static let day: Int64 = 86_400

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { try? FileSystem.removeTree(directory) }
        try await body(directory + "/pki")
    }

    private func authority(_ directory: String, at now: Int64) throws -> CertificateAuthority {
        try CertificateAuthority.loadOrCreate(directory: directory, logger: Self.logger, now: { now })
    }

    @Test("credentials are kept over restarts, private to their owner")
    func reuse() async throws {
        try await withDirectory { directory in
            let load = {
                try EndpointCredentials.load(
                    directory: directory, nodeName: "n1", addresses: ["127.0.0.1", "10.96.0.1"],
                    logger: Self.logger)
            }
            let first = try load()
            let second = try load()
            #expect(first.authority.certificatePEM == second.authority.certificatePEM)
            #expect(first.serving.privateKeyPEM == second.serving.privateKeyPEM)
            #expect(first.admin.certificatePEM == second.admin.certificatePEM)
            for name in ["ca.pem", "serving.pem", "admin.pem", "node.pem"] {
                var status = stat()
                try #require(stat("\(directory)/\(name)", &status) == 0)
                #expect(status.st_mode & 0o777 == 0o600)
            }
        }
    }

    @Test("a certificate is renewed when less than a third of its life is left, with the same authority")
    func renewal() async throws {
        try await withDirectory { directory in
            let start: Int64 = 1_800_000_000
            let first = try authority(directory, at: start).credential("admin", .admin, logger: Self.logger)
            let early = try authority(directory, at: start + 240 * Self.day)
            #expect(try early.credential("admin", .admin, logger: Self.logger).certificatePEM == first.certificatePEM)
            let late = try authority(directory, at: start + 250 * Self.day)
            let renewed = try late.credential("admin", .admin, logger: Self.logger)
            #expect(renewed.certificatePEM != first.certificatePEM)
            #expect(renewed.certificate.issuer == first.certificate.issuer)
        }
    }

    @Test("a renewed authority keeps its key, so what it signed before stays good")
    func authorityRenewal() async throws {
        try await withDirectory { directory in
            let start: Int64 = 1_800_000_000
            let old = try authority(directory, at: start)
            let renewed = try authority(directory, at: start + 2500 * Self.day)
            #expect(renewed.certificatePEM != old.certificatePEM)
            #expect(renewed.certificate.publicKey == old.certificate.publicKey)
        }
    }

    @Test("a name added to the serving certificate makes a new one")
    func changedNames() async throws {
        try await withDirectory { directory in
            let authority = try authority(directory, at: 1_800_000_000)
            let first = try authority.credential(
                "serving", .serving(names: ["localhost", "127.0.0.1"]), logger: Self.logger)
            let same = try authority.credential(
                "serving", .serving(names: ["127.0.0.1", "localhost"]), logger: Self.logger)
            #expect(same.certificatePEM == first.certificatePEM)
            let more = try authority.credential(
                "serving", .serving(names: ["localhost", "192.0.2.7"]), logger: Self.logger)
            #expect(more.certificatePEM != first.certificatePEM)
        }
    }

    @Test("an unreadable file is moved aside, not overwritten, and replaced", arguments: ["ca", "admin"])
    func corrupt(name: String) async throws {
        try await withDirectory { directory in
            _ = try authority(directory, at: 1_800_000_000).credential("admin", .admin, logger: Self.logger)
            let path = "\(directory)/\(name).pem"
            try FileSystem.writeAtomically(path, Array("garbage".utf8))
            let admin = try authority(directory, at: 1_800_000_000).credential("admin", .admin, logger: Self.logger)
            #expect(
                try Credential(pem: FileSystem.readText("\(directory)/admin.pem")).certificatePEM
                    == admin.certificatePEM)
            let aside = try FileSystem.list(directory).filter { $0.hasPrefix("\(name).pem.unreadable-") }
            #expect(aside.count == 1)
            #expect(try FileSystem.readText("\(directory)/\(try #require(aside.first))") == "garbage")
        }
    }

    @Test("the authenticator takes its own client certificates and nothing else")
    func authenticator() async throws {
        try await withDirectory { directory in
            let now = Int64(time(nil))
            let authority = try authority(directory, at: now)
            let authenticator = ClientAuthenticator(authority: authority)
            let identify = { (credential: Credential) async throws -> Identity? in
                await authenticator.identity(certificateDER: try credential.certificate.derBytes)
            }
            let admin = try #require(try await identify(authority.issue(.admin)))
            #expect(admin.name == "swiftlet-admin")
            #expect(admin.groups == ["system:masters"])
            #expect(abs(admin.expiry - now - 365 * Self.day) <= 120)
            #expect(try await identify(authority.issue(.node("n1")))?.nodeName == "n1")
            #expect(try await identify(authority.issue(.serving(names: ["localhost"]))) == nil)
            let foreign = try self.authority(directory + "-other", at: now)
            #expect(try await identify(foreign.issue(.admin)) == nil)
            let past = try self.authority(directory, at: now - 400 * Self.day)
            #expect(try await identify(past.issue(.admin)) == nil)
            #expect(await authenticator.identity(certificateDER: [1, 2, 3]) == nil)
        }
    }

    @Test("names become DNS or address entries as they look")
    func names() {
        #expect(CertificateProfile.addressBytes("10.96.0.1") == [10, 96, 0, 1])
        #expect(CertificateProfile.addressBytes("::1")?.count == 16)
        #expect(CertificateProfile.addressBytes("localhost") == nil)
        #expect(CertificateProfile.serving(names: ["a", "", "a", "b"]).subjectAlternativeNames == ["a", "b"])
    }
}
