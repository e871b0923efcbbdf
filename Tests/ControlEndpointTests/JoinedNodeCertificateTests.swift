import FoundationEssentials
import Glibc
import KubernetesAPI
import KubernetesClient
import Logging
import Testing
import X509

@testable import ControlEndpoint

@Suite("Certificates of a node that joined")
struct JoinedNodeCertificateTests {
    private let directory: String
    private let authority: CertificateAuthority

    init() throws {
        directory = try EndpointFixture.makeDirectory()
        authority = try CertificateAuthority.loadOrCreate(directory: directory + "/pki", logger: Logger(label: "test"))
        for name in ["ca.pem", "ca.crt"] { unlink(directory + "/pki/" + name) }
        rmdir(directory + "/pki")
        rmdir(directory)
    }

    private func issued(_ request: ServingCertificateRequest) throws -> Credential {
        try request.credential(
            try CertificateSigner(authority: authority).sign(
                request.encoded, as: .serving, usages: ["digital signature", "server auth"], seconds: nil,
                now: Int64(time(nil))))
    }

    @Test("what it asks for is signed, and serves it under its names until they change or a third of its life is left")
    func request() throws {
        let request = try ServingCertificateRequest(nodeName: "n1", addresses: ["10.0.0.1", "no address"])
        let credential = try issued(request)
        let (names, now) = (["n1", "10.0.0.1"], Int64(time(nil)))
        #expect(credential.serves(names, at: now, authorities: [authority.certificate]))
        #expect(credential.serves(names, at: now, authorities: []))
        #expect(!credential.serves(["n1", "10.0.0.2"], at: now, authorities: []))
        #expect(!credential.serves(names, at: now + 300 * 86_400, authorities: []))
        #expect(!credential.serves(names, at: now, authorities: [try Self.other().certificate]))
    }

    @Test("a certificate for another key is not taken")
    func otherKey() throws {
        let credential = try issued(try ServingCertificateRequest(nodeName: "n1", addresses: []))
        let other = try ServingCertificateRequest(nodeName: "n1", addresses: [])
        #expect(throws: (any Error).self) {
            try other.credential(Data(credential.certificatePEM.utf8).base64EncodedString())
        }
    }

    @Test("only an authority that is trusted already becomes one of clients")
    func authorities() async throws {
        let authorities = ClientAuthorities()
        let admin = try authority.issue(.admin).certificate.derBytes
        #expect(await authorities.identity(certificateDER: admin) == nil)
        let (own, other) = (authority.certificatePEM, try Self.other().certificatePEM)
        try authorities.replace(published: own + "\n" + other, trusted: own)
        #expect(await authorities.identity(certificateDER: admin)?.name == "swiftlet-admin")
        #expect(authorities.certificates == [authority.certificate])
        try authorities.replace(published: own, trusted: other)
        #expect(await authorities.identity(certificateDER: admin) == nil)
        try authorities.replace(published: "", trusted: own)
        #expect(await authorities.identity(certificateDER: admin) == nil)
    }

    @Test("a request that waits for approval is watched, and its certificate taken into use", .timeLimit(.minutes(5)))
    func approval() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create("/api/v1/nodes", ["metadata": ["name": "n1"]])
        let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
        let transport = LocalTransport(api: endpoint.api, audit: nil, identity: EndpointFixture.node)
        let client = APIClient(
            configuration: APIClientConfiguration(server: try ServerAddress(parsing: "https://127.0.0.1:6443")),
            transport: transport, logger: Logger(label: "test"))
        let place = try EndpointFixture.makeDirectory()
        let (used, use) = AsyncStream<String>.makeStream()
        let certificates = JoinedNodeCertificates(
            client: client, nodeName: "n1", addresses: [], directory: place, authorities: ClientAuthorities(),
            trustedPEM: "", asksForServing: true, replace: { use.yield($0.certificatePEM) },
            logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await transport.run() }
            group.addTask { await certificates.run() }
            // Whoever only looks now and then never comes here.
            while endpoint.store.watcherCount == 0 { await Task.yield() }
            let request = try #require(await endpoint.send("GET", path).value["items"]?.arrayValue?.first)
            let certificate = try CertificateSigner(authority: authority).sign(
                request.string("spec", "request"), as: .serving, usages: ["digital signature", "server auth"],
                seconds: nil, now: Int64(time(nil)))
            let answer = await endpoint.send(
                "PATCH", "\(path)/\(request.string("metadata", "name"))/status",
                ["status": ["certificate": .string(certificate)]], contentType: "application/merge-patch+json")
            #expect(answer.status == 200, "\(answer.value)")
            let taken = await used.first { _ in true }
            let wanted = String(decoding: try #require(Data(base64Encoded: certificate)), as: UTF8.self)
            #expect(taken.map { wanted.contains($0) } == true)
            group.cancelAll()
        }
        unlink(place + "/kubelet-server.pem")
        rmdir(place)
    }

    private static func other() throws -> CertificateAuthority { try JoinedNodeCertificateTests().authority }
}
