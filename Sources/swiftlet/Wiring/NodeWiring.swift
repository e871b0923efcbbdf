import ContainerImages
import ContainerRuntime
import ControlEndpoint
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import NIOPosix
import NodeAgent
import NodeServer
import PodNetwork
import Probes
import Volumes

/// The agent's parts, made and connected. Each long-running one becomes a task of the process's group.
struct NodeWiring {
    let logs: PodLogs
    let usage: UsageCollector

    static func start(
        _ settings: NodeSettings, client: APIClient, endpoint: NodeProcess.RunningEndpoint?, policy: NodePolicySource,
        stopRequest: StopRequest, logger: Logger, in group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws -> NodeWiring {
        let foundation = try NodeFoundation(settings, logger: logger)
        let run = settings.run
        async let preparation = KernelThreadPool.shared.run { AppArmorHost.prepare(directory: run) }
        let (runtime, network, images) = (foundation.runtime, foundation.network, foundation.images)
        group.addTask { await runtime.run() }
        let puller = ImagePuller(
            images: images, configuration: try settings.registryConfiguration(),
            trust: { policy.policy.images })
        group.addTask { await puller.run() }
        let credentials = try settings.nodeCredentials()
        group.addTask { await credentials.run() }
        async let recovery = images.start()
        try await network.start()
        try await runtime.start()
        await network.retain(sandboxIDs: Set(await runtime.sandboxes().map(\.id)))
        let recovered = try await recovery
        if let index = recovered.quarantinedIndex {
            logger.warning("damaged image index set aside and rebuilt", metadata: ["file": "\(index)"])
        }

        let timelines = PodTimelineStore(podsDirectory: settings.root + "/pods", logger: logger)
        group.addTask { await timelines.run() }
        let counters = AgentCounters()
        let recorder = EventRecorder(
            component: "kubelet", host: settings.nodeName, sink: client,
            observer: {
                timelines.record($0, type: $1, reason: $2, message: $3)
                counters.record($0, reason: $2)
            }, logger: logger)
        group.addTask { await recorder.run() }
        let statuses = PodStatusManager(client: client, logger: logger)
        group.addTask { await statuses.run() }
        let shortfalls = await network.shortfalls
        let addresses =
            try settings.nodeIP.map { [$0] }
            ?? HostAddresses.discover(podBridge: settings.bridgeName).internalIPs.map(\.description)
        let information = NodeInformation.discover(stateDirectory: settings.root)
        let services = Informer(Service.self, client: client, logger: logger)
        group.addTask { await services.run() }
        let mirrors = MirrorPods(
            client: client, statuses: statuses, nodeName: settings.nodeName, events: recorder,
            staticSources: settings.manifestURL == nil ? [.file] : [.file, .http], logger: logger)
        let manifests = ManifestSource(
            directory: settings.manifests, nodeName: settings.nodeName, loop: try EpollLoop(name: "manifests"),
            mirrors: mirrors, logger: logger)
        let pressures = NodePressures()
        let drivers = StorageDrivers(root: settings.root, logger: logger)
        let reporter = startReporting(
            settings, foundation, information, client, recorder, mirrors, pressures, drivers, addresses: addresses,
            networkShortfalls: shortfalls, hasUserNamespaces: await runtime.userNamespaceProblem == nil, logger,
            in: &group)
        let allocations = keepAccount(settings, foundation, reporter, information, recorder, logger, in: &group)
        let api = APIPodSource(
            client: client, nodeName: settings.nodeName, mirrors: mirrors, events: recorder, logger: logger)
        let followed = FollowedObjects(client: client, logger: logger)
        let tokens = ServiceAccountTokens(server: client, logger: logger)
        let claimsDirectory = settings.root + "/volumes"
        let objects = NodeObjects(
            local: nil, client: client, followed: followed, tokens: tokens,
            claims: APIClaims(
                client: client, provisioned: ProvisionedVolumes(claimsDirectory: claimsDirectory),
                node: { reporter.node }, events: recorder),
            nodeName: settings.nodeName, awaitsAttachments: endpoint == nil)
        let staticObjects = NodeObjects(
            local: manifests.objects, client: client, followed: followed, nodeName: settings.nodeName,
            awaitsAttachments: endpoint == nil)
        let helper = FileSystemHelper(program: settings.monitorPath)
        let check = try policyCheck(
            settings, policy, recorder, reporter, helper, isEmbedded: endpoint != nil, in: &group)
        let podsDirectory = settings.root + "/pods"
        let eventLoop = foundation.runtime.loop
        group.addTask { await drivers.run(loop: eventLoop) }
        let driverReporter = CSINodeReporter(
            nodeName: settings.nodeName, client: client, nodeUID: { reporter.nodeUID }, drivers: drivers,
            logger: logger)
        group.addTask { await driverReporter.run() }
        let volumes = VolumeManager(
            stateDirectory: podsDirectory, objects: objects, followedObjects: objects.following,
            nodeAllocatable: { reporter.allocatable }, hostPaths: check, claimsDirectory: claimsDirectory,
            drivers: drivers, helper: helper)
        let staticVolumes = VolumeManager(
            stateDirectory: podsDirectory, objects: staticObjects, followedObjects: staticObjects.following,
            nodeAllocatable: { reporter.allocatable }, hostPaths: check, claimsDirectory: claimsDirectory,
            drivers: drivers, helper: helper)
        let logKeeper = try LogKeeper(logsDirectory: settings.logDirectory + "/pods", logger: logger)
        group.addTask { await logKeeper.run() }
        var configuration = foundation.configuration
        configuration.appArmor = await preparation
        if let problem = configuration.appArmor.defaultProfileProblem {
            logger.warning("no AppArmor profile for containers that name none", metadata: ["reason": "\(problem)"])
        }
        let durations = AgentDurations()
        let host = LocalPodHost(
            LocalPodHost.Parts(
                runtime: runtime, images: images, puller: puller,
                nodeCredentials: credentials,
                imageTrust: { policy.policy.images }, network: network,
                volumes: volumes, objects: objects, staticVolumes: staticVolumes, staticObjects: staticObjects,
                services: { Array(services.snapshot().values) },
                apiServer: PodAccess.reach(settings, endpoint, logger), nodeAllocatable: { reporter.allocatable },
                events: recorder, logKeeper: logKeeper, durations: durations,
                // A Kubernetes API server has put them into the pods.
                serviceAccount: endpoint == nil ? nil : serviceAccounts(client), followed: followed,
                tokens: tokens),
            configuration: configuration, hostIPs: addresses,
            machine: MachineResources(
                memoryBytes: information.memory, swapBytes: information.swap,
                allocatableMemoryBytes: reporter.allocatable["memory"]?.value, hugePages: information.hugePages),
            logger: logger)
        await host.adoptProcessors()
        let connections = MultiThreadedEventLoopGroup.singleton
        let measured = MeasuredPodHost(host, durations)
        let loop = foundation.runtime.loop
        let probes = PodProbes(
            runner: try ProbeRunner(group: connections, execution: measured), clock: EpollLoopClock(loop),
            executor: loop.executor)
        let admission = NodeAdmission(
            reporter: reporter, client: client, pressures: { pressures.current },
            unsafeSysctls: { settings.allowedUnsafeSysctls + check.unsafeSysctls(of: $0) },
            appArmor: configuration.appArmor)
        let context = PodDependencies(
            host: measured, probes: probes,
            hooks: try LifecycleHookRunner(group: connections, execution: measured), statuses: statuses,
            events: recorder, timelines: timelines, hostIPs: addresses,
            node: .node(settings.nodeName), allocations: allocations, durations: durations,
            admission: { await admission.decide($0, beside: $1) },
            policy: { await check.decide($0, container: $1) }, logger: logger)
        var sources = [PodSource.file: manifests.updates, .api: api.updates]
        if let url = settings.manifestURL {
            let fetcher = HTTPManifestFetcher(url: url, headers: settings.manifestURLHeaders)
            let web = HTTPManifestSource(
                url: url, nodeName: settings.nodeName, fetcher: fetcher, mirrors: mirrors, logger: logger)
            sources[.http] = web.updates
            group.addTask {
                await web.run()
                await fetcher.shutdown()
            }
        }
        let agent = NodeAgent(context: context, sources: sources)
        group.addTask { await host.run() }
        group.addTask { await probes.run() }
        group.addTask { await manifests.run() }
        group.addTask { for await _ in manifests.objects.changes { host.localObjectsChanged() } }
        group.addTask { await mirrors.run() }
        group.addTask { await api.run() }
        group.addTask { await agent.run() }
        let meter = EphemeralStorageMeter(host: host)
        group.addTask { await meter.run() }
        let collector = NodeProtection.collectImages(
            settings, agent, host, images, reporter, recorder, logger, in: &group)
        NodeProtection.start(
            settings, agent, host, meter, collector, pressures, reporter, recorder, endpoint == nil ? nil : client,
            logger,
            in: &group)
        let teardown = NodeTeardown(
            runtime: runtime, network: network, volumes: volumes, cgroups: foundation.cgroups, logger: logger)
        let usage = UsageCollector(agent: agent, host: host, meter: meter)
        let server = try nodeServer(
            settings, agent, host, foundation, endpoint, policy, collector, usage, counters, client,
            addresses: addresses, shortfalls: shortfalls, logger: logger, in: &group
        ) {
            await agent.halt()
            await teardown.run(gracePeriod: .seconds(10))
        } exit: {
            stopRequest.send()
        }
        group.addTask { try await server.run() }
        await server.started()
        return NodeWiring(logs: PodLogs(agent: agent, host: host), usage: usage)
    }

    /// Follows the policy's file, says on the Node what became of a change, and gives what pods are held to.
    private static func policyCheck(
        _ settings: NodeSettings, _ policy: NodePolicySource, _ recorder: EventRecorder, _ reporter: NodeStatusReporter,
        _ helper: FileSystemHelper, isEmbedded: Bool, in group: inout ThrowingTaskGroup<Void, any Error>
    ) throws -> PodPolicyCheck {
        let (name, loop) = (settings.nodeName, try EpollLoop(name: "policy"))
        group.addTask {
            await policy.run(loop: loop) { problem in
                recorder.record(
                    ObjectReference(kind: "Node", name: name, uid: reporter.nodeUID ?? name, apiVersion: "v1"),
                    type: problem == nil ? .normal : .warning,
                    reason: problem == nil ? "NodePolicyChanged" : "NodePolicyInvalid",
                    message: problem.map { "node policy not in force, the last good one stays: \($0)" }
                        ?? "node policy read from \(policy.path)")
            }
        }
        return PodPolicyCheck(
            source: policy,
            protected: ProtectedPaths(
                root: settings.root, run: settings.run, logDirectory: settings.logDirectory),
            allowsHostRootfsFromAPI: isEmbedded, helper: helper)
    }

    private static func serviceAccounts(
        _ client: APIClient
    ) -> @Sendable (_ namespace: String, _ name: String) async -> ServiceAccount? {
        { namespace, name in
            do throws(APIError) {
                return try await client.get(ServiceAccount.self, namespace: namespace, name: name)
            } catch { return nil }
        }
    }

    private static func startReporting(
        _ settings: NodeSettings, _ foundation: NodeFoundation, _ information: NodeInformation, _ client: APIClient,
        _ recorder: EventRecorder, _ mirrors: MirrorPods, _ pressures: NodePressures, _ drivers: StorageDrivers,
        addresses: [String], networkShortfalls: [String], hasUserNamespaces: Bool, _ logger: Logger,
        in group: inout ThrowingTaskGroup<Void, any Error>
    ) -> NodeStatusReporter {
        let ioWeights =
            settings.resources.policy.ioWeights == nil ? nil : IOWeightSupport.read(foundation.cgroups).problem?.text
        if let ioWeights { logger.warning("not all settings have an effect", metadata: ["reason": "\(ioWeights)"]) }
        let findings =
            foundation.cgroups.capabilities.findings.map(\.problem) + networkShortfalls + [ioWeights].compactMap(\.self)
        let configuration = NodeConfiguration(
            name: settings.nodeName, podCIDRs: settings.podCIDRs.map(\.description), maxPods: Int64(settings.maxPods),
            reservation: settings.resources.reservation,
            evictionMemoryBytes: settings.protection.eviction.hardMemoryBytes(of: information.memory),
            evictionNodefsPercent: settings.protection.eviction.hardStoragePercent(of: information.ephemeralStorage),
            kubeletPort: Int32(settings.nodePort), addresses: addresses, version: SwiftletCommand.version,
            hasUserNamespaces: hasUserNamespaces)
        let images = foundation.images
        let reporter = NodeStatusReporter(
            configuration: configuration, information: information,
            shortfalls: findings, client: client, health: [HostHealth(stateDirectory: settings.root), pressures],
            images: {
                await images.list().map { ContainerImage(names: $0.digests + $0.names, sizeBytes: $0.sizeBytes) }
            }, volumesInUse: { try? await drivers.volumesInUse() }, events: recorder,
            onRegistered: { node in mirrors.setNode(uid: node.metadata.uid ?? "") },
            logger: logger)
        let lease = NodeLeaseRenewer(
            nodeName: settings.nodeName, client: client, nodeUID: { reporter.nodeUID }, logger: logger)
        group.addTask { await reporter.run() }
        group.addTask { for await _ in drivers.uses { reporter.refresh() } }
        group.addTask { await lease.run() }
        return reporter
    }

    /// The account of what pods are promised, and the cgroups above them that follow it.
    private static func keepAccount(
        _ settings: NodeSettings, _ foundation: NodeFoundation, _ reporter: NodeStatusReporter,
        _ information: NodeInformation, _ recorder: EventRecorder, _ logger: Logger,
        in group: inout ThrowingTaskGroup<Void, any Error>
    ) -> PodAllocations {
        let resources = settings.resources
        let allocations = PodAllocations(policy: resources.policy, allocatable: { reporter.allocatable })
        let node = ObjectReference.node(settings.nodeName)
        let tree = CgroupTree(
            cgroups: foundation.cgroups, policy: resources.policy, capacity: reporter.node.status?.capacity ?? [:],
            processes: information.processes, reservation: resources.reservation,
            enforcesAllocatable: resources.enforcesAllocatable,
            tell: { recorder.record(node, type: $0, reason: $1, message: $2) }, logger: logger)
        group.addTask { await tree.run(following: allocations) }
        return allocations
    }

    private static func nodeServer(
        _ settings: NodeSettings, _ agent: NodeAgent, _ host: LocalPodHost, _ foundation: NodeFoundation,
        _ endpoint: NodeProcess.RunningEndpoint?, _ policy: NodePolicySource, _ collector: ImageCollector,
        _ usage: UsageCollector, _ counters: AgentCounters, _ client: APIClient, addresses: [String],
        shortfalls: [String], logger: Logger, in group: inout ThrowingTaskGroup<Void, any Error>,
        stop: @escaping @Sendable () async -> Void,
        exit: @escaping @Sendable () -> Void
    ) throws -> NodeServer {
        let api = try NodeAPIWiring.api(settings, client, endpoint, addresses: addresses, logger: logger, in: &group)
        let (cgroups, hasWeights) = (foundation.cgroups, settings.resources.policy.ioWeights != nil)
        let hierarchies = cgroups.hierarchies
        return NodeServer(
            configuration: NodeServerConfiguration(
                socketPath: settings.socketPath, api: api, nodeName: settings.nodeName,
                version: SwiftletCommand.version,
                kubeletConfiguration: KubeletConfigurationDocument.build(settings, isAlone: endpoint != nil),
                hostLogDirectory: settings.logDirectory),
            agent: agent, host: host, images: foundation.images, imageCollector: collector,
            usage: usage, counters: counters,
            findings: {
                HostCheck.run(hierarchies, networkShortfalls: shortfalls)
                    + [HostCheck.policy(policy), hasWeights ? HostCheck.ioWeights(cgroups) : nil].compactMap(\.self)
            },
            stop: stop, exit: exit,
            logger: logger)
    }
}

/// What a node works with on its host, with or without an agent: `stop --all` needs it too.
struct NodeFoundation: Sendable {
    let settings: NodeSettings
    let cgroups: CgroupManager
    let runtime: RuntimeService
    let network: BridgeNetwork
    let images: ImageManager

    init(_ settings: NodeSettings, logger: Logger) throws {
        self.settings = settings
        let hierarchies = try CgroupHierarchies.discover()
        cgroups = CgroupManager(
            hierarchies: hierarchies, root: settings.cgroupRoot,
            additional: settings.resources.additionalControllers(on: hierarchies))
        for directory in [
            settings.root + "/pods", settings.logDirectory + "/pods", settings.logDirectory + "/containers",
        ] {
            do throws(KernelError) { try FileSystem.makeHierarchyTop(directory, mode: 0o755) } catch {
                throw SettingError(directory: directory, error)
            }
        }
        runtime = try RuntimeService(
            configuration: RuntimeConfiguration(
                runDirectory: settings.run, stateDirectory: settings.root, monitorPath: settings.monitorPath,
                cgroups: cgroups, idRanges: settings.idRanges, logLimit: settings.protection.logLimit),
            logger: logger)
        network = BridgeNetwork(
            configuration: BridgeConfiguration(
                bridge: settings.bridgeName, podCIDRs: settings.podCIDRs, stateDirectory: settings.run + "/network",
                nftablesTableName: settings.nftablesTable),
            logger: logger)
        images = ImageManager(
            root: settings.root + "/images", jail: UnpackJail(filter: try UnpackingFilter.program()))
    }

    var configuration: NodeAgentConfiguration {
        NodeAgentConfiguration(
            nodeName: settings.nodeName, rootDirectory: settings.root, logDirectory: settings.logDirectory,
            cgroups: cgroups, resources: settings.resources.policy,
            resourceLimits: ResourceLimit.containerDefaults(highest: ResourceLimit.highestHere))
    }
}
