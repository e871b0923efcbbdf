public import ContainerImages
public import ContainerRuntime
public import KubernetesAPI
public import KubernetesClient
import LinuxKernel
public import Logging
import MonitorCore
public import PodNetwork
import Synchronization
public import Volumes

/// Pods on this machine: the container runtime, the network, the volumes and the images, brought together for one pod at a time.
///
/// It holds no truth: what it remembers saves work and is made anew after a restart.
public final class LocalPodHost: PodHost {
    /// The parts of a node, one of each.
    public struct Parts: Sendable {
        public var runtime: RuntimeService
        public var images: ImageManager
        public var puller: ImagePuller
        public var nodeCredentials: NodeCredentials
        /// What images must prove, as it is in force now.
        public var imageTrust: @Sendable () -> ImageTrustPolicy
        public var network: any NetworkPlugin
        public var volumes: VolumeManager
        public var objects: any VolumeObjectSource
        /// The same for pods of manifest files, which may use objects of manifest files.
        public var staticVolumes: VolumeManager
        public var staticObjects: any VolumeObjectSource
        public var services: @Sendable () -> [Service]
        /// Where pods reach an API server that is this node's own; nil leaves the services as they are.
        public var apiServer: APIServerReach?
        public var nodeAllocatable: @Sendable () -> [String: Quantity]
        public var events: EventRecorder
        public var logKeeper: LogKeeper?
        public var durations: AgentDurations
        /// For the pull secrets of pods that name none; nil where the control plane has put them into the pods.
        public var serviceAccount: (@Sendable (_ namespace: String, _ name: String) async -> ServiceAccount?)?
        public var followed: FollowedObjects?
        public var tokens: ServiceAccountTokens?

        public init(
            runtime: RuntimeService, images: ImageManager, puller: ImagePuller, nodeCredentials: NodeCredentials,
            imageTrust: @escaping @Sendable () -> ImageTrustPolicy = { ImageTrustPolicy() }, network: any NetworkPlugin,
            volumes: VolumeManager, objects: any VolumeObjectSource,
            staticVolumes: VolumeManager, staticObjects: any VolumeObjectSource,
            services: @escaping @Sendable () -> [Service], apiServer: APIServerReach? = nil,
            nodeAllocatable: @escaping @Sendable () -> [String: Quantity], events: EventRecorder,
            logKeeper: LogKeeper? = nil, durations: AgentDurations = AgentDurations(),
            serviceAccount: (@Sendable (_ namespace: String, _ name: String) async -> ServiceAccount?)? = nil,
            followed: FollowedObjects? = nil, tokens: ServiceAccountTokens? = nil
        ) {
            self.runtime = runtime
            self.images = images
            self.puller = puller
            self.nodeCredentials = nodeCredentials
            self.imageTrust = imageTrust
            self.network = network
            self.volumes = volumes
            self.objects = objects
            self.staticVolumes = staticVolumes
            self.staticObjects = staticObjects
            self.services = services
            self.apiServer = apiServer
            self.nodeAllocatable = nodeAllocatable
            self.events = events
            self.logKeeper = logKeeper
            self.durations = durations
            self.serviceAccount = serviceAccount
            self.followed = followed
            self.tokens = tokens
        }
    }

    /// What was found or made for a pod in this process.
    struct Memory {
        var volumes: [String: MountedVolume]?
        var freshness = VolumeFreshness()
        var isStatic = false
        var podIPs: [String] = []
        /// The sandbox whose network and files this process has seen to.
        var preparedSandbox: String?
        var reportedShortfalls: Set<String> = []
        /// By instance: read once, after its end.
        var terminationMessages: [String: String] = [:]
    }

    let parts: Parts
    public let configuration: NodeAgentConfiguration
    let hostIPs: [String]
    let machine: MachineResources
    let logger: Logger
    /// Nil when containers are not pinned to processors.
    let processors: CPUManager?
    private let memories = Mutex<[String: Memory]>([:])
    public let changes: AsyncStream<String>
    let change: AsyncStream<String>.Continuation
    let uptime = MonotonicTime(ContinuousClock())

    public init(
        _ parts: Parts, configuration: NodeAgentConfiguration, hostIPs: [String], machine: MachineResources,
        logger: Logger
    ) {
        self.parts = parts
        self.configuration = configuration
        self.hostIPs = hostIPs
        self.machine = machine
        self.logger = logger
        let policy = configuration.resources
        processors =
            policy.pinsProcessors
            ? CPUManager(
                topology: .discover(), reserved: policy.reservedProcessors, runtime: parts.runtime, logger: logger)
            : nil
        (changes, change) = AsyncStream.makeStream()
    }

    /// Takes over what an earlier agent has pinned; to be called before any pod is.
    public func adoptProcessors() async {
        if let processors { return await processors.adopt() }
        do throws(RuntimeError) { try await CPUManager.unpinAll(in: parts.runtime) } catch {
            logger.warning("containers stay pinned to processors", metadata: ["error": "\(error)"])
        }
    }

    /// Carries the runtime's news on, until cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await event in self.parts.runtime.events { self.change.yield(event.metadata.podUID) } }
            group.addTask { await self.followObjects() }
            if let followed = parts.followed { group.addTask { await followed.run() } }
        }
    }

    public var runtime: RuntimeService { parts.runtime }

    /// A pod's cgroup, below the node's root; nil for a pod whose UID is no safe name.
    public static func cgroupPath(of pod: Pod) -> String? {
        PodPlaces.isSafe(uid: pod.metadata.uid ?? "") ? PodPlaces.cgroup(pod) : nil
    }

    func memory(_ uid: String) -> Memory { memories.withLock { $0[uid] ?? Memory() } }

    func remember(_ uid: String, _ body: (inout Memory) -> Void) {
        memories.withLock { body(&$0[uid, default: Memory()]) }
    }

    func knowsVolumes(of uid: String) -> Bool { memories.withLock { $0[uid] != nil } }

    /// Marks the files of all pods that use objects of manifests, and gives the pods' UIDs.
    func staleStaticPods() -> [String] {
        memories.withLock { memories in
            let uids = memories.filter { $0.value.isStatic }.map(\.key)
            for uid in uids { memories[uid]?.freshness.changed() }
            return uids
        }
    }

    func dropMemory(_ uid: String) { memories.withLock { $0[uid] = nil } }

    func volumes(of pod: Pod) -> VolumeManager { pod.isStatic ? parts.staticVolumes : parts.volumes }

    func objects(of pod: Pod) -> any VolumeObjectSource { pod.isStatic ? parts.staticObjects : parts.objects }

    func record(_ type: EventType, _ reason: String, _ message: String, of pod: Pod, container: String? = nil) {
        parts.events.record(
            ObjectReference(to: pod, fieldPath: container.flatMap(pod.spec.fieldPath(ofContainer:))), type: type,
            reason: reason, message: message)
    }

    /// Limits that this host does not enforce are said once per pod, never silently dropped.
    func reportShortfalls(_ shortfalls: [CgroupShortfall], of pod: Pod) {
        for shortfall in shortfalls where shortfall.resource != .oomGroup {
            tellOnce(shortfall.description, "ResourceNotEnforced", of: pod)
        }
    }

    /// A claim's size and access modes hold nobody to anything on this host.
    func reportClaims(of pod: Pod) {
        let claims = (pod.spec.volumes ?? []).compactMap { $0.persistentVolumeClaim?.claimName }
        guard !claims.isEmpty else { return }
        let names = claims.map { "\"\($0)\"" }.joined(separator: ", ")
        tellOnce(
            "this node does not enforce the size \(pod.isStatic ? "and access modes " : "")of persistentvolumeclaims: \(names)",
            "ResourceNotEnforced", of: pod)
    }

    func tellOnce(_ text: String, _ reason: String, of pod: Pod) {
        var isNew = false
        remember(pod.metadata.uid ?? "") { isNew = $0.reportedShortfalls.insert(text).inserted }
        if isNew { record(.warning, reason, text, of: pod) }
    }
}

extension PodSpec {
    /// `spec.containers{name}`: where an event's object points to.
    func fieldPath(ofContainer name: String) -> String? {
        if initContainers?.contains(where: { $0.name == name }) == true { return "spec.initContainers{\(name)}" }
        if containers.contains(where: { $0.name == name }) { return "spec.containers{\(name)}" }
        return "spec.ephemeralContainers{\(name)}"
    }

    /// A container of any kind, ephemeral ones included.
    func container(named name: String) -> Container? {
        (initContainers ?? []).first { $0.name == name } ?? containers.first { $0.name == name }
            ?? (ephemeralContainers ?? []).first { $0.name == name }?.container
    }
}
