import AsyncHTTPClient
import Glibc
import KubernetesAPI
import LinuxKernel
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import ServiceLifecycle
import Testing

@testable import ControlEndpoint

@Suite("The endpoint over TLS", .timeLimit(.minutes(5)))
struct ControlEndpointServerTests {
    enum Client: Sendable { case admin, node, none, stranger }

    /// A running server and clients of every sort, stopped in good order.
    struct Running: Sendable {
        let server: ControlEndpointServer
        let directory: String
        let url: String
        let group: ServiceGroup

        func withClient<Result: Sendable>(
            _ client: Client, _ body: @Sendable (HTTPClient) async throws -> Result
        ) async throws -> Result {
            var tls = TLSConfiguration.makeClientConfiguration()
            let authority = Array(server.credentials.authority.certificatePEM.utf8)
            tls.trustRoots = .certificates([try NIOSSLCertificate(bytes: authority, format: .pem)])
            let credential: Credential?
            switch client {
            case .admin: credential = server.credentials.admin
            case .node: credential = server.credentials.node
            case .none: credential = nil
            case .stranger:
                let other = try CertificateAuthority.loadOrCreate(
                    directory: directory + "/other", logger: Logger(label: "test"))
                credential = try other.issue(.admin)
            }
            if let credential {
                tls.certificateChain = [
                    .certificate(try NIOSSLCertificate(bytes: Array(credential.certificatePEM.utf8), format: .pem))
                ]
                tls.privateKey = .privateKey(
                    try NIOSSLPrivateKey(bytes: Array(credential.privateKeyPEM.utf8), format: .pem))
            }
            let http = HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration(tlsConfiguration: tls))
            do {
                let result = try await body(http)
                try await http.shutdown()
                return result
            } catch {
                try await http.shutdown()
                throw error
            }
        }

        func status(_ client: Client, _ path: String, method: HTTPMethod = .GET, body: ByteBuffer? = nil) async throws
            -> UInt
        {
            try await withClient(client) { http in
                var request = HTTPClientRequest(url: url + path)
                request.method = method
                if let body {
                    request.headers.add(name: "content-type", value: "application/json")
                    request.body = .bytes(body)
                }
                let response = try await http.execute(request, timeout: .seconds(30))
                _ = try await response.body.collect(upTo: 16 << 20)
                return response.status.code
            }
        }
    }

    private func withServer(_ body: @Sendable @escaping (Running) async throws -> Void) async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { try? FileSystem.removeTree(directory) }
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let configuration = ControlEndpointConfiguration(rootDirectory: directory, port: 0, nodeName: "n1")
        let server = try ControlEndpointServer(configuration: configuration, logSource: nil, logger: logger)
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [.init(service: server)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            group.addTask {
                try await server.started()
                let url = try #require(server.url)
                try await body(Running(server: server, directory: directory, url: url, group: services))
                await services.triggerGracefulShutdown()
            }
            try await group.waitForAll()
        }
    }

    @Test("certificates decide: none and a stranger's are 401, the node's is limited, the admin's opens all")
    func authentication() async throws {
        try await withServer { (running: Running) async throws in
            for client in [Client.none, .stranger] {
                #expect(try await running.status(client, "/api/v1/pods") == 401)
                #expect(try await running.status(client, "/readyz") == 200)
            }
            #expect(try await running.status(.node, "/api/v1/nodes") == 200)
            #expect(try await running.status(.node, "/api/v1/pods") == 403)
            #expect(try await running.status(.node, "/api/v1/namespaces/default", method: .DELETE) == 403)
            #expect(try await running.status(.admin, "/api/v1/secrets") == 200)
        }
    }

    @Test("a body beyond the limit is refused, its connection closed, and the endpoint goes on")
    func bodyLimit() async throws {
        try await withServer { (running: Running) async throws in
            let large = ByteBuffer(repeating: UInt8(ascii: " "), count: EndpointAPI.bodyLimit + 1)
            let path = "/api/v1/namespaces/default/configmaps"
            // The server may close while the client still sends: the client sees the answer or the closed connection.
            let status = try? await running.status(.admin, path, method: .POST, body: large)
            #expect(status == nil || status == 413)
            #expect(try await running.status(.admin, path) == 200)
        }
    }

    @Test("the admin's kubeconfig is written with the URL, private to its owner")
    func kubeconfig() async throws {
        try await withServer { (running: Running) async throws in
            // Written before the server says that it runs, or just after: a request that is answered comes later than
            // both.
            _ = try await running.status(.admin, "/readyz")
            let path = running.directory + "/admin.kubeconfig"
            let text = try FileSystem.readText(path)
            #expect(text.contains("server: \(running.url)\n"))
            #expect(text.contains("client-key-data: "))
            var status = stat()
            try #require(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test("a stop ends open watches at once")
    func stopEndsWatches() async throws {
        try await withServer { (running: Running) async throws in
            let elapsed = try await running.withClient(.admin) { http in
                let request = HTTPClientRequest(url: running.url + "/api/v1/pods?watch=true")
                let response = try await http.execute(request, timeout: .seconds(60))
                #expect(response.status == .ok)
                let clock = ContinuousClock()
                let start = clock.now
                await running.group.triggerGracefulShutdown()
                for try await _ in response.body {}
                return clock.now - start
            }
            #expect(elapsed < .seconds(1))
        }
    }

    @Test("a watch crosses the wire event by event, and a client that leaves is forgotten")
    func watch() async throws {
        try await withServer { (running: Running) async throws in
            let store = running.server.watcherCount
            try await running.withClient(.admin) { http in
                let path = "/api/v1/namespaces/default/configmaps"
                let request = HTTPClientRequest(url: running.url + path + "?watch=true")
                let response = try await http.execute(request, timeout: .seconds(60))
                let made = try await running.status(
                    .admin, path, method: .POST, body: ByteBuffer(string: #"{"metadata":{"name":"a"}}"#))
                #expect(made == 201)
                var text = ""
                for try await part in response.body {
                    text += String(buffer: part)
                    if text.contains("\n") { break }
                }
                #expect(text.hasPrefix(#"{"type":"ADDED","object":{"apiVersion":"v1""#))
                #expect(store() == 1)
            }
            // The client has shut down; the next change finds nobody once its connection is closed on our side too.
            while store() > 0 { await Task.yield() }
        }
    }

    @Test("a port in use, a bad network and an unusable root each fail with one line that names them")
    func startFailures() async throws {
        try await withServer { (running: Running) async throws in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let port = try #require(running.server.boundPort)
            let taken = ControlEndpointConfiguration(
                rootDirectory: running.directory + "/second", port: port, nodeName: "n1")
            let second = try ControlEndpointServer(configuration: taken, logSource: nil, logger: logger)
            let error = await #expect(throws: ControlEndpointError.self) { try await second.run() }
            #expect(error?.description.hasPrefix("cannot listen on 127.0.0.1:\(port): ") == true)
            var network = ControlEndpointConfiguration(rootDirectory: running.directory + "/third", nodeName: "n1")
            network.serviceCIDR = "10.0.0.0/99"
            let badNetwork = #expect(throws: ControlEndpointError.self) {
                try ControlEndpointServer(configuration: network, logSource: nil, logger: logger)
            }
            #expect(badNetwork?.description.contains("\"10.0.0.0/99\"") == true)
            let same = ControlEndpointConfiguration(rootDirectory: running.directory, nodeName: "n1")
            let inUse = #expect(throws: ControlEndpointError.self) {
                try ControlEndpointServer(configuration: same, logSource: nil, logger: logger)
            }
            #expect(inUse?.description.contains("state.db is in use by another process") == true)
            let root = ControlEndpointConfiguration(rootDirectory: "/proc/none", nodeName: "n1")
            let badRoot = #expect(throws: ControlEndpointError.self) {
                try ControlEndpointServer(configuration: root, logSource: nil, logger: logger)
            }
            #expect(badRoot?.description.contains("cannot use --root /proc/none") == true)
        }
    }
}
