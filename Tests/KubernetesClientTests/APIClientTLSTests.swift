import KubernetesAPI
import NIOSSL
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("API client over TLS", .timeLimit(.minutes(5)))
struct APIClientTLSTests {
    /// A server that demands a client certificate of the test authority.
    private func get(
        certificate: String = TestCertificates.server, key: String = TestCertificates.serverKey,
        _ change: (inout APIClientConfiguration) -> Void
    ) async throws -> ConfigMap {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
        tls.certificateVerification = .noHostnameVerification
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.authority.utf8)))
        return try await FakeAPIServer.with(tls: tls, answer: { _ in .json(configMapJSON("a", version: "1")) }) {
            server in
            var configuration = APIClientConfiguration(
                server: try ServerAddress(parsing: "https://127.0.0.1:\(server.port)"),
                certificateAuthorityPEM: Array(TestCertificates.authority.utf8),
                clientCertificatePEM: Array(TestCertificates.client.utf8),
                clientKeyPEM: Array(TestCertificates.clientKey.utf8), connectTimeout: .seconds(60))
            change(&configuration)
            let client = try APIClient(configuration: configuration, logger: .silent)
            do {
                let object = try await client.get(ConfigMap.self, namespace: "ns", name: "a")
                await client.shutdown()
                return object
            } catch {
                await client.shutdown()
                throw error
            }
        }
    }

    @Test("both sides prove who they are")
    func mutual() async throws {
        #expect(try await get { _ in }.metadata.name == "a")
    }

    @Test("a server of another authority is not talked to")
    func wrongAuthority() async throws {
        let error = await #expect(throws: APIError.self) {
            try await get { $0.certificateAuthorityPEM = Array(TestCertificates.otherAuthority.utf8) }
        }
        #expect(error?.code == .transport(.tls))
    }

    @Test(
        "the certificate must be for the host, or for the server name if one is given",
        arguments: [(nil, false), ("api.test.invalid", true), ("other.test.invalid", false)] as [(String?, Bool)])
    func serverName(name: String?, accepted: Bool) async throws {
        do {
            _ = try await get(certificate: TestCertificates.named, key: TestCertificates.namedKey) {
                $0.tlsServerName = name
            }
            #expect(accepted)
        } catch let error as APIError {
            #expect(!accepted)
            #expect(error.code == .transport(.tls))
        }
    }

    @Test("without verification any server is talked to")
    func insecure() async throws {
        let object = try await get {
            $0.certificateAuthorityPEM = nil
            $0.insecureSkipTLSVerify = true
        }
        #expect(object.metadata.name == "a")
    }

    @Test("certificates and keys that are none are named when the client is made, the key not quoted")
    func unusable() throws {
        var configuration = APIClientConfiguration(server: try ServerAddress(parsing: "https://h"))
        configuration.certificateAuthorityPEM = Array("junk".utf8)
        let authority = #expect(throws: APIClientConfigurationError.self) { try configuration.tlsConfiguration() }
        #expect(authority?.field == "certificateAuthorityPEM")
        configuration.certificateAuthorityPEM = nil
        configuration.clientCertificatePEM = Array(TestCertificates.client.utf8)
        let missing = #expect(throws: APIClientConfigurationError.self) { try configuration.tlsConfiguration() }
        #expect(missing?.field == "clientKeyPEM")
        configuration.clientKeyPEM = Array("secret-junk".utf8)
        let key = #expect(throws: APIClientConfigurationError.self) { try configuration.tlsConfiguration() }
        #expect(key?.field == "clientKeyPEM")
        #expect(key?.description.contains("secret-junk") == false)
    }
}
