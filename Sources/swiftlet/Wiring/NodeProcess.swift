import ContainerImages
import ContainerRuntime
import ControlEndpoint
import Controllers
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import NodeAgent
import NodeServer
import PodNetwork
import ServiceLifecycle
import Synchronization
import Systemd
import UnixSignals
import Volumes

/// One process of a node: the control endpoint, the agent, or both. Wiring only.
struct NodeProcess: ServiceLifecycle.Service {
    enum Mode: Sendable {
        case endpointAndAgent(apply: [ObjectApplier.Loaded])
        case endpoint
        case agent(kubeconfig: String)
    }

    private let settings: NodeSettings
    private let mode: Mode
    private let logger: Logger
    private let lock: NodeLock
    /// Nil without an agent.
    private let policy: NodePolicySource?
    private let stopRequest = StopRequest()
    private let deadline = ShutdownDeadline()

    /// Runs until SIGTERM or SIGINT. Containers go on running.
    static func run(_ settings: NodeSettings, mode: Mode) async throws {
        OpenFileLimit.raise()
        let logger = LogOutput.logger("swiftlet")
        let policy = try policy(settings, mode, logger)
        let lock = try NodeLock(directories: [settings.root, settings.run])
        if case .agent = mode {
        } else {
            try ListenCheck.run(settings.listenAddress, settings.listenPort, flag: "--listen")
        }
        switch mode {
        case .endpoint: break
        case .endpointAndAgent:
            try settings.api.checkReachesLoopback()
            try ListenCheck.run(settings.api.addressBesideEndpoint, settings.nodePort, flag: "--node-port")
        case .agent: try ListenCheck.run(settings.api.addressAlone, settings.nodePort, flag: "--node-port")
        }
        try settings.keep()
        let process = NodeProcess(settings: settings, mode: mode, logger: logger, lock: lock, policy: policy)
        var quiet = logger
        quiet.logLevel = .critical
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: process, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        try await group.run()
        logger.info(process.stopRequest.isSent ? "stopped" : "stopped; containers go on running")
    }

    /// The node's policy, before anything else is done: a node whose policy cannot be read does not start.
    private static func policy(_ settings: NodeSettings, _ mode: Mode, _ logger: Logger) throws -> NodePolicySource? {
        if case .endpoint = mode { return nil }
        do throws(NodePolicyError) {
            return try NodePolicySource(
                path: settings.policyFile, isRequired: settings.isPolicyRequired, logger: logger)
        } catch {
            throw SettingError("node policy: \(error)")
        }
    }

    func run() async throws {
        let notifier = ServiceNotifier(logger: logger)
        let clients = ClientList()
        var end = Result<Void, any Error>.success(())
        await withThrowingTaskGroup(of: Void.self) { servers in
            let endpointEnd = StopRequest()
            do {
                let endpoint = try await startEndpoint(in: &servers, end: endpointEnd)
                try await cancelWhenGracefulShutdown {
                    try await serve(endpoint, endpointEnd, notifier, clients)
                }
            } catch { end = .failure(error) }
            notifier.stopping()
            // Only now nobody uses them any more.
            await clients.shutdown()
            // Its own clients first, then the endpoint, in good order: cut off while somebody connects, it would end in a trap.
            servers.addTask { try await ContinuousClock().sleep(for: Self.endpointGrace) }
            _ = await servers.nextResult()
            servers.cancelAll()
            while let result = await servers.nextResult() {
                if case .failure(let error) = result, case .success = end, !(error is CancellationError) {
                    end = .failure(error)
                }
            }
        }
        do { try end.get() } catch is CancellationError {}
    }

    /// For requests of others that are under way when the node is told to stop.
    private static let endpointGrace = Duration.seconds(1)

    private func serve(
        _ endpoint: RunningEndpoint?, _ endpointEnd: StopRequest, _ notifier: ServiceNotifier, _ clients: ClientList
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await notifier.runWatchdog { true } }
            group.addTask { await stopRequest.wait() }
            group.addTask { await endpointEnd.wait() }
            let client = try clients.add(apiClient(endpoint))
            if let policy {
                let node = try await NodeWiring.start(
                    settings, client: client, endpoint: endpoint, policy: policy, stopRequest: stopRequest,
                    logger: logger, in: &group)
                endpoint?.logSource?.attach(node.logs)
                endpoint?.usageSource?.attach(node.usage)
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { policy.reload() }
                }
            }
            if let endpoint {
                startControllers(
                    client, authorityPEM: endpoint.server.credentials.authority.certificatePEM, in: &group)
            }
            try await applyFiles(client)
            group.addTask { try await MemoryUpkeep.run() }
            notifier.ready(status: "\(settings.nodeName) is up")
            logger.info(runsAgent ? "node is up" : "endpoint is up", metadata: ["node": "\(settings.nodeName)"])
            do {
                // The first to end ends the process: a stop request, or a part that failed.
                try await group.next()
                // Exit 0 keeps systemd from starting the node again: only for those who asked for the end.
                guard Task.isCancelled || stopRequest.isSent else {
                    throw SettingError("a part of the node ended by itself: this is a defect of swiftlet")
                }
            } catch {
                deadline.begin(status: Task.isCancelled || stopRequest.isSent ? 0 : 1, logger: logger)
                throw error
            }
            deadline.begin(status: 0, logger: logger)
            group.cancelAll()
        }
    }

    /// What an API server of its own needs beside itself.
    private func startControllers(
        _ client: APIClient, authorityPEM: String, in group: inout ThrowingTaskGroup<Void, any Error>
    ) {
        let pods = Informer(Pod.self, client: client, logger: logger)
        let nodes = Informer(Node.self, client: client, logger: logger)
        let volumes = VolumeInformers(client: client, logger: logger)
        let binder = PersistentVolumeController(
            client: client, volumes: volumes, pods: pods, nodes: nodes,
            storage: ProvisionedDirectories(root: settings.root), provisioner: ProvisionedVolumes.provisioner,
            logger: logger)
        let scheduler = Scheduler(
            client: client, pods: pods, nodes: nodes,
            volumes: SchedulerVolumes(informers: volumes, client: client), logger: logger)
        let workloads = WorkloadControllers(
            client: client, pods: pods, certificatePEM: authorityPEM, logger: logger)
        let collector = GarbageCollector(client: client, logger: logger)
        group.addTask { await binder.run() }
        group.addTask { try await scheduler.run() }
        group.addTask { try await workloads.run() }
        group.addTask { try await collector.run() }
    }

    // MARK: The endpoint

    /// A served endpoint and what its own node needs to reach it.
    struct RunningEndpoint: Sendable {
        let server: ControlEndpointServer
        /// Both nil without a node in this process.
        let logSource: NodeLogSource?
        let usageSource: NodeUsageSource?
        let url: String
    }

    private func startEndpoint(
        in group: inout ThrowingTaskGroup<Void, any Error>, end: StopRequest
    ) async throws -> RunningEndpoint? {
        if case .agent = mode { return nil }
        let source = runsAgent ? NodeLogSource() : nil
        let usage = runsAgent ? NodeUsageSource(nodeName: settings.nodeName) : nil
        var configuration = ControlEndpointConfiguration(
            rootDirectory: settings.root, listenAddress: settings.listenAddress, port: settings.listenPort,
            nodeName: settings.nodeName, reachedAt: settings.podCIDRs.map(\.gateway.description))
        configuration.hasOwnNode = runsAgent
        configuration.audit = AuditConfiguration(
            level: settings.auditLevel, path: settings.logDirectory + "/swiftlet/audit.log")
        // Every watch holds a connection for itself, and a thousand watchers are promised to be served; still a quarter at most.
        configuration.maximumConnections = max(
            OpenFileLimit.connections, min(4096, (OpenFileLimit.highest ?? 1024) / 4))
        let server = try ControlEndpointServer(
            configuration: configuration, logSource: source, metricsSource: usage, logger: logger)
        group.addTask {
            defer { end.send() }
            try await server.run()
        }
        do { try await server.started() } catch {
            // The server's own run has the reason.
            try await group.next()
            throw error
        }
        guard let url = server.url else { throw SettingError("the control endpoint has no address") }
        logger.info("control endpoint is ready", metadata: ["url": "\(url)"])
        return RunningEndpoint(server: server, logSource: source, usageSource: usage, url: url)
    }

    private var runsAgent: Bool {
        switch mode {
        case .endpoint: false
        case .agent, .endpointAndAgent: true
        }
    }

    private func apiClient(_ endpoint: RunningEndpoint?) throws -> APIClient {
        switch mode {
        case .agent(let path):
            return try APIClient(configuration: Kubeconfig(contentsOf: path).configuration(), logger: logger)
        case .endpoint, .endpointAndAgent:
            guard let endpoint else { throw SettingError("the control endpoint is not running") }
            return APIClient(
                configuration: APIClientConfiguration(server: try ServerAddress(parsing: endpoint.url)),
                transport: endpoint.server.local, logger: logger)
        }
    }

    private func applyFiles(_ client: APIClient) async throws {
        guard case .endpointAndAgent(let objects) = mode, !objects.isEmpty else { return }
        try await ObjectApplier(client: client, logger: logger).apply(objects)
    }
}

/// The connections to the API that are to be closed at the end, on whatever way it comes.
private final class ClientList: Sendable {
    private let clients = Mutex<[APIClient]>([])

    func add(_ client: APIClient) -> APIClient {
        clients.withLock { $0.append(client) }
        return client
    }

    func shutdown() async {
        for client in clients.withLock({ $0 }) { await client.shutdown() }
    }
}

/// Asks the process to end: `swiftlet stop --all` does once its pods have ended, the endpoint when it has by itself.
final class StopRequest: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let sent = Atomic(false)

    init() { (stream, continuation) = AsyncStream.makeStream() }

    var isSent: Bool { sent.load(ordering: .acquiring) }

    func send() {
        sent.store(true, ordering: .releasing)
        continuation.yield()
        continuation.finish()
    }

    func wait() async { for await _ in stream { return } }
}
