import AsyncHTTPClient
import LinuxKernel
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Connections to registries: one client for each set of trusted certificates. TLS 1.2 or newer, every certificate and
/// name verified, no redirect followed here.
final class RegistryTransport: Sendable {
    let configuration: RegistryConfiguration
    private let clients = Mutex<[String: HTTPClient]>([:])

    /// How long a registry may be silent in the middle of an answer.
    private static let silence = TimeAmount.seconds(60)

    init(configuration: RegistryConfiguration) {
        self.configuration = configuration
    }

    /// Closes every connection.
    func shutdown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { try? await client.shutdown() }
    }

    /// Sends one request and gives the head of its answer.
    func send(_ request: HTTPClientRequest, caFile: String?, place: String) async throws(TransferFailure)
        -> HTTPClientResponse
    {
        let client = try await client(caFile)
        do { return try await client.execute(request, timeout: Self.silence) } catch {
            throw TransferFailure(transport: error, place: place)
        }
    }

    private func client(_ caFile: String?) async throws(TransferFailure) -> HTTPClient {
        if let known = clients.withLock({ $0[caFile ?? ""] }) { return known }
        let settings: HTTPClient.Configuration
        do throws(ImageError) { settings = try await Self.settings(caFile) } catch {
            throw TransferFailure(.refused, error.code, error.message)
        }
        return clients.withLock { clients in
            if let known = clients[caFile ?? ""] { return known }
            let client = HTTPClient(configuration: settings)
            clients[caFile ?? ""] = client
            return client
        }
    }

    private static func settings(_ caFile: String?) async throws(ImageError) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let caFile {
            let bytes: [UInt8]
            do throws(KernelError) {
                bytes = try await KernelThreadPool.shared.run { () throws(KernelError) in
                    try FileSystem.read(caFile, limit: 4 << 20)
                }
            } catch { throw ImageError(.invalidConfiguration, "caFile \(caFile): cannot be read: \(error.errno)") }
            guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
                throw ImageError(.invalidConfiguration, "caFile \(caFile): holds no certificate in PEM form")
            }
            tls.trustRoots = .certificates(certificates)
        }
        var settings = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10), read: silence), decompression: .disabled)
        // Blobs are few and large: one connection each is faster than streams that share a window.
        settings.httpVersion = .http1Only
        settings.connectionPool.idleTimeout = .seconds(30)
        // Whoever pulls has a plan for retries.
        settings.connectionPool.retryConnectionEstablishment = false
        return settings
    }
}
