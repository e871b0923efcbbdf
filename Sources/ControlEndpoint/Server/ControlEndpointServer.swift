internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
internal import LinuxKernel
public import Logging
internal import NIOCore
internal import NIOSSL
public import ServiceLifecycle
internal import Streaming
internal import Synchronization

/// The embedded control endpoint: the Kubernetes API over TLS, kept in one SQLite file.
///
/// Everything that can fail for a reason the user can mend fails in ``init(configuration:logSource:metricsSource:logger:)``, except
/// taking the port. After ``run()`` has taken it, ``boundPort`` is set and ``started()`` returns.
public final class ControlEndpointServer: Service {
    private let configuration: ControlEndpointConfiguration
    private let logger: Logger
    private let store: ResourceStore
    private let operations: ResourceOperations
    private let api: EndpointAPI
    private let health = HealthState()
    private let start = StartSignal()
    private let audit: AuditLog?
    private let backends: BackendClients
    /// For the clients in this process: they need neither port nor certificate.
    public let local: LocalTransport
    /// What was issued: the wiring gives the node's part to the agent beside the endpoint.
    public let credentials: EndpointCredentials

    /// Opens the store and the certificates.
    /// - Parameters:
    ///   - logSource: of the node in this process; nil when there is none.
    ///   - metricsSource: likewise.
    public init(
        configuration: ControlEndpointConfiguration, logSource: (any PodLogSource)?,
        metricsSource: (any UsageMetricsSource)? = nil, logger: Logger
    ) throws(ControlEndpointError) {
        self.configuration = configuration
        self.logger = logger
        audit = configuration.audit.flatMap { $0.level == .none ? nil : AuditLog($0, logger: logger) }
        guard let addresses = ServiceAddressAllocator(cidr: configuration.serviceCIDR) else {
            throw .invalidServiceCIDR(configuration.serviceCIDR)
        }
        do {
            try FileSystem.makeDirectories(configuration.rootDirectory, mode: 0o700)
        } catch {
            throw .rootDirectory(path: configuration.rootDirectory, reason: "\(error)")
        }
        let seal: ObjectSeal
        do {
            try FileSystem.makeDirectories(configuration.certificateDirectory, mode: 0o700)
            seal = try ObjectSeal.loadOrCreate(directory: configuration.certificateDirectory)
        } catch let error as CertificateError {
            throw .certificate(error)
        } catch {
            throw .rootDirectory(path: configuration.certificateDirectory, reason: "\(error)")
        }
        do { store = try ResourceStore(path: configuration.databasePath, seal: seal) } catch { throw .store(error) }
        do {
            credentials = try EndpointCredentials.load(
                directory: configuration.certificateDirectory, nodeName: configuration.nodeName,
                addresses: [configuration.listenAddress, addresses.first] + configuration.reachedAt, logger: logger)
        } catch {
            throw .certificate(error)
        }
        operations = ResourceOperations(
            registry: ResourceRegistry(ResourceRegistry.standard + ResourceRegistry.metrics),
            store: store, serviceAddresses: addresses, rootCertificatePEM: credentials.authority.certificatePEM,
            certificateSigner: CertificateSigner(authority: credentials.authority),
            // An agent that joins from the endpoint's own machine has that machine's name.
            ownNames: Set(credentials.names).subtracting(configuration.hasOwnNode ? [] : [configuration.nodeName]),
            logger: logger)
        let signer: TokenSigner
        do {
            signer = try TokenSigner.loadOrCreate(directory: configuration.certificateDirectory, logger: logger)
        } catch {
            throw .certificate(error)
        }
        do { backends = try BackendClients(credentials: credentials) } catch {
            throw .certificate(
                CertificateError(name: "admin", directory: configuration.certificateDirectory, reason: "\(error)"))
        }
        api = EndpointAPI(
            operations: operations, logSource: logSource, metricsSource: metricsSource, backends: backends,
            ownNode: configuration.hasOwnNode ? configuration.nodeName : nil, health: health, signer: signer,
            copyPath: configuration.rootDirectory + "/" + EndpointBackup.copyName)
        local = LocalTransport(
            api: api, audit: audit,
            identity: Identity(name: Identity.administratorName, groups: [Identity.mastersGroup]))
    }

    /// The port being listened on; nil before ``run()`` has taken it.
    public var boundPort: Int? { start.port }

    /// Reads the number of open watches at the moment of the call.
    var watcherCount: @Sendable () -> Int { { [store] in store.watcherCount } }

    /// The URL of the endpoint as its own machine reaches it; nil before ``run()`` has taken the port.
    public var url: String? {
        boundPort.map { port in
            let address = configuration.listenAddress
            let host: String
            switch address {
            case "0.0.0.0": host = "127.0.0.1"
            case "::": host = "[::1]"
            default: host = address.contains(":") ? "[\(address)]" : address
            }
            return "https://\(host):\(port)"
        }
    }

    /// Returns once requests are served; throws when the task is cancelled or the start failed.
    public func started() async throws { try await start.wait() }

    /// Serves until a graceful shutdown or cancellation; watches end at once then, so clients do not hang.
    public func run() async throws {
        do {
            try await operations.createSystemObjects(apiPort: configuration.port)
        } catch {
            start.fail()
            throw ControlEndpointError.systemObjects(error.message)
        }
        let application = try makeApplication()
        defer { start.fail() }
        do {
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await application.run() }
                    group.addTask { [self] in await sweepEvents() }
                    group.addTask { [self] in await local.run() }
                    if let audit { group.addTask { await audit.run() } }
                    try await group.next()
                    group.cancelAll()
                }
            } onGracefulShutdown: { [health, store] in
                health.setReady(false)
                store.finishWatches()
            }
        } catch let error as IOError {
            throw ControlEndpointError.cannotListen(
                address: configuration.listenAddress, port: configuration.port,
                reason: String(cString: strerror(error.errnoCode)))
        }
        await backends.shutdown()
        do { try store.close() } catch {
            logger.error("the store did not close cleanly", metadata: ["reason": "\(error)"])
        }
    }

    private func makeApplication() throws -> some ApplicationProtocol {
        let authenticator = ClientAuthenticator(authority: credentials.authority)
        let identities = ConnectionIdentities(authenticator: authenticator)
        let responder = EndpointResponder(api: api, identities: identities, audit: audit)
        let streams = try EndpointStreams(
            api: api, identities: identities, credentials: credentials, audit: audit,
            maximumConnections: configuration.maximumConnections)
        // Whatever the client presents gets through the handshake, which proves that it holds the key; who it is
        // decides ``ClientAuthenticator``. So a stale certificate is answered with a readable 401, not a broken
        // connection.
        let tls = TLSChannelConfiguration(
            tlsConfiguration: try tlsConfiguration(),
            customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) })
        let http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [HalfCloseHandler()],
            idleTimeout: .seconds(configuration.idleTimeoutSeconds),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 64 * 1024, maxHeaderFieldCount: 200))
        return Application(
            responder: responder,
            server: HTTPServerBuilder { responder in
                try TLSChannel(
                    UpgradableChannel(
                        http: HTTP1Channel(responder: responder, configuration: http), responder: streams),
                    configuration: tls)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.listenAddress, port: configuration.port),
                availableConnectionsDelegate: .maximum(configuration.maximumConnections, logger: logger)),
            onServerRunning: { [self] channel in await serverIsRunning(on: channel.localAddress?.port) },
            logger: quietLogger())
    }

    /// The framework tells of every connection error; only its errors matter here.
    private func quietLogger() -> Logger {
        var quiet = logger
        quiet.logLevel = .critical
        return quiet
    }

    private func tlsConfiguration() throws -> TLSConfiguration {
        let serving = credentials.serving
        let authority = try NIOSSLCertificate(bytes: Array(credentials.authority.certificatePEM.utf8), format: .pem)
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: [
                .certificate(try NIOSSLCertificate(bytes: Array(serving.certificatePEM.utf8), format: .pem))
            ],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(serving.privateKeyPEM.utf8), format: .pem)))
        tls.minimumTLSVersion = .tlsv12
        tls.certificateVerification = .optionalVerification
        tls.trustRoots = .certificates([authority])
        // Clients with several certificates learn from this which one to present.
        tls.sendCANameList = true
        return tls
    }

    private func serverIsRunning(on port: Int?) async {
        guard let port else { return }
        start.succeed(port: port)
        guard let url else { return }
        do {
            try AdminKubeconfig.write(
                path: configuration.kubeconfigPath, server: url,
                certificateAuthorityPEM: credentials.authority.certificatePEM, credential: credentials.admin)
        } catch {
            logger.error("admin kubeconfig not written", metadata: ["reason": "\(error)"])
        }
        logger.info("control endpoint is serving", metadata: ["url": "\(url)"])
    }

    /// Goes on with what a stop interrupted, then removes old events now and then, so that the file does not grow for ever.
    private func sweepEvents() async {
        await operations.resumeDeletionsOfNamespaces()
        let interval = Duration.seconds(configuration.eventSweepSeconds)
        while (try? await Task.sleep(for: interval)) != nil {
            await operations.removeOldEvents()
            await operations.removeOldCertificateRequests()
        }
    }
}

/// Tells those who wait for it that the endpoint serves, or never will.
final class StartSignal: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Void, any Error>])
        case started(port: Int)
        case failed
    }

    private let state = Mutex(State.waiting([]))

    init() {}

    var port: Int? {
        state.withLock { if case .started(let port) = $0 { port } else { nil } }
    }

    func succeed(port: Int) { settle(.started(port: port)) { $0.resume() } }

    /// Has no effect on waiters that were told of the start already.
    func fail() { settle(.failed) { $0.resume(throwing: CancellationError()) } }

    private func settle(_ next: State, _ tell: (CheckedContinuation<Void, any Error>) -> Void) {
        let waiters: [CheckedContinuation<Void, any Error>] = state.withLock { state in
            guard case .waiting(let waiters) = state else {
                return []
            }
            state = next
            return waiters
        }
        for waiter in waiters { tell(waiter) }
    }

    func wait() async throws {
        try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Void, any Error>) in
            let settled: State? = state.withLock { state in
                switch state {
                case .waiting(let waiters):
                    state = .waiting(waiters + [waiter])
                    return nil
                case .started, .failed: return state
                }
            }
            switch settled {
            case nil, .waiting?: break
            case .started?: waiter.resume()
            case .failed?: waiter.resume(throwing: CancellationError())
            }
        }
    }
}
