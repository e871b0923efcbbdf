public import ContainerImages
import Glibc
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import LinuxKernel
public import Logging
import NIOCore
import NIOSSL
public import NodeAgent
public import ServiceLifecycle
import Streaming
import Synchronization

/// The node's interfaces: HTTPS for the control plane and metrics, and a unix socket for the local verbs.
public final class NodeServer: Service {
    private let configuration: NodeServerConfiguration
    private let state: NodeServerState
    private let logger: Logger
    private let runs: AsyncStream<Void>
    private let running: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - stop: ends every pod of the node (`swiftlet stop --all`).
    ///   - exit: asks the node's process to end.
    public init(
        configuration: NodeServerConfiguration, agent: NodeAgent, host: LocalPodHost, images: ImageManager,
        imageCollector: ImageCollector, usage: UsageCollector, counters: AgentCounters,
        findings: @escaping @Sendable () async -> [HostFinding],
        stop: @escaping @Sendable () async -> Void,
        exit: @escaping @Sendable () -> Void, logger: Logger
    ) {
        self.configuration = configuration
        state = NodeServerState(
            configuration: configuration, agent: agent, host: host, images: images,
            imageCollector: imageCollector, usage: usage, counters: counters,
            machine: .discover(stateDirectory: host.configuration.rootDirectory), findings: findings, stop: stop,
            exit: exit)
        self.logger = logger
        (runs, running) = AsyncStream.makeStream()
    }

    /// Returns once every interface is being served, or ``run()`` has ended.
    public func started() async {
        var left = configuration.api == nil ? 1 : 2
        for await _ in runs {
            left -= 1
            if left == 0 { return }
        }
    }

    public func run() async throws {
        defer { running.finish() }
        unlink(configuration.socketPath)
        let mask = umask(0o177)
        let streams = streams(access: nil)
        let local = Application(
            router: LocalRoutes.router(state),
            server: HTTPServerBuilder { responder in
                UpgradableChannel(http: HTTP1Channel(responder: responder), responder: streams)
            },
            configuration: .init(
                address: .unixDomainSocket(path: configuration.socketPath), serverName: "swiftlet",
                availableConnectionsDelegate: connectionLimit()),
            onServerRunning: { [running] _ in
                _ = umask(mask)
                running.yield()
            }, logger: quiet)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await local.run() }
            if let api = configuration.api {
                let application = try secured(api)
                group.addTask {
                    do { try await application.run() } catch let error as IOError {
                        throw NodeServerError.cannotListen(
                            address: api.listenAddress, port: api.port,
                            reason: String(cString: strerror(error.errnoCode)))
                    }
                }
            }
        }
    }

    /// One for each server, as it counts.
    private func connectionLimit() -> any AvailableConnectionsDelegate {
        MaximumAvailableConnections(configuration.maximumConnections, logger: quiet)
    }

    /// Hummingbird tells of every connection; this node tells of its pods.
    private var quiet: Logger {
        var quiet = logger
        quiet.logLevel = .critical
        return quiet
    }

    private func streams(access: NodeAccess?) -> NodeStreams {
        NodeStreams(
            agent: state.agent, host: state.host, access: access,
            connections: ConnectionBudget(limit: configuration.maximumConnections), sessions: state.sessions)
    }

    private func secured(_ api: NodeServerConfiguration.API) throws -> some ApplicationProtocol {
        let access = NodeAccess(
            reviewer: api.reviewer, roles: api.roles, logger: logger, seconds: { Int64(Glibc.time(nil)) })
        let streams = streams(access: access)
        // Whatever a client shows gets through the handshake, which proves that it holds the key; who it is decides the reviewer. So
        // one with a certificate of somebody else's can still prove itself with a token, as with kubelet.
        let tls = TLSChannelConfiguration(
            tlsConfiguration: try tlsConfiguration(api),
            customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) })
        let http = HTTP1Channel.Configuration(
            idleTimeout: Self.idleTimeout,
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 200))
        return Application(
            router: NodeAPIRoutes.router(state, access),
            server: HTTPServerBuilder { responder in
                try TLSChannel(
                    UpgradableChannel(
                        http: HTTP1Channel(responder: responder, configuration: http), responder: streams),
                    configuration: tls)
            },
            configuration: .init(
                address: .hostname(api.listenAddress, port: api.port), serverName: "swiftlet",
                reuseAddress: true, availableConnectionsDelegate: connectionLimit()),
            onServerRunning: { [running] _ in running.yield() }, logger: quiet)
    }

    /// For a connection without a request under way.
    private static let idleTimeout = TimeAmount.seconds(90)

    private func tlsConfiguration(_ api: NodeServerConfiguration.API) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: api.certificate.current.chain, privateKey: api.certificate.current.key)
        // Each connection gets the certificate of now: a node's may be replaced while it runs.
        tls.sslContextCallback = { _, promise in
            var override = NIOSSLContextConfigurationOverride()
            (override.certificateChain, override.privateKey) = api.certificate.current
            promise.succeed(override)
        }
        tls.minimumTLSVersion = .tlsv12
        tls.certificateVerification = .optionalVerification
        tls.trustRoots = .certificates(
            api.clientCAPEM.isEmpty ? [] : try NIOSSLCertificate.fromPEMBytes(api.clientCAPEM))
        tls.sendCANameList = true
        return tls
    }
}

/// The node's interfaces cannot be served.
public enum NodeServerError: Error, CustomStringConvertible {
    case cannotListen(address: String, port: Int, reason: String)

    public var description: String {
        switch self {
        case .cannotListen(let address, let port, let reason):
            "--node-port \(port): cannot listen on \(address):\(port): \(reason); stop the program that has the port (ss -ltnp) or give another"
        }
    }
}

/// What the routes answer from.
struct NodeServerState: Sendable {
    let configuration: NodeServerConfiguration
    let agent: NodeAgent
    let host: LocalPodHost
    let images: ImageManager
    let imageCollector: ImageCollector
    let usage: UsageCollector
    let counters: AgentCounters
    let requests = HTTPRequestMetrics()
    /// Of all interfaces together.
    let sessions = SessionCount()
    let deviceNames = DeviceNames()
    let machine: NodeInformation
    let findings: @Sendable () async -> [HostFinding]
    let stop: @Sendable () async -> Void
    let exit: @Sendable () -> Void

    var logs: PodLogs { PodLogs(agent: agent, host: host) }
}
