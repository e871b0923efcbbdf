import KubernetesAPI
import KubernetesClient
import Logging
import NIOPosix
import NodeAgent
import Probes

/// Puts the real agent together on top of a simulated machine and endpoint.
enum AgentAssembly {
    static let nodeName = "node"

    static func start(
        world: World, incarnation: Incarnation, host: SimulatedHost, files: AsyncStream<PodUpdate>
    ) -> NodeAgent {
        var logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let clock = VirtualClock(incarnation, world: world)
        let client = SimulatedClient(world: world, incarnation: incarnation)
        let random: @Sendable () -> Double = { world.agentUnit() }
        let wallClock: @Sendable () -> Timestamp = { world.wallClock() }
        let statuses = PodStatusManager(client: client, logger: logger, clock: clock, random: random)
        let events = EventRecorder(
            component: "kubelet", host: nodeName, sink: client, clock: clock, wallClock: wallClock, random: random,
            logger: logger)
        let probes = PodProbes(runner: SimulatedProbeRunner(host: host), clock: clock, random: random)
        guard
            let hooks = try? LifecycleHookRunner(
                group: MultiThreadedEventLoopGroup.singleton, execution: host, clock: clock)
        else { preconditionFailure("the TLS library cannot be set up") }
        let source = APIPodSource(
            informer: Informer<Pod>(
                source: client, clock: clock, random: random, brake: DeletionBrake(), logger: logger))
        let agent = NodeAgent(
            context: PodDependencies(
                host: host, probes: probes, hooks: hooks, statuses: statuses, events: events,
                timelines: PodTimelineStore(
                    podsDirectory: nil, boot: "", clock: clock, wallClock: wallClock, logger: logger),
                hostIPs: ["192.0.2.1"],
                admission: { pod, _ in
                    pod.metadata.name?.hasPrefix(World.refusedPrefix) == true
                        ? PodRejection(reason: "Refused", message: "Pod was rejected: refused by the node") : nil
                },
                clock: clock, wallClock: wallClock, logger: logger),
            sources: [.api: source.updates, .file: files])
        incarnation.run {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await statuses.run() }
                group.addTask { await events.run() }
                group.addTask { await probes.run() }
                group.addTask { await source.run() }
                group.addTask { await agent.run() }
                await group.waitForAll()
            }
        }
        return agent
    }
}

/// Exec probes only: the others would leave the world.
struct SimulatedProbeRunner: ProbeRunning {
    let host: SimulatedHost

    func run(_ kind: ProbeKind, of target: ProbeTarget, timeout: Duration) async -> ProbeOutcome {
        let command = target.container.probe(kind)?.exec?.command ?? []
        switch await host.execute(command, in: target.containerID, timeout: timeout) {
        case .exited(code: 0, _): return .success(message: "")
        case .exited: return .failure(message: "")
        case .timedOut: return .failure(message: "timed out")
        case .notRun(let message): return .error(message: message)
        }
    }
}
