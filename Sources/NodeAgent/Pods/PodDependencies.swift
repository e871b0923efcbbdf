public import ContainerImages
public import ContainerRuntime
public import KubernetesAPI
public import KubernetesClient
public import Logging
public import PodNetwork
public import Volumes

/// What a pod worker works with: one of each per node.
public struct PodDependencies: Sendable {
    public var configuration: NodeAgentConfiguration
    public var runtime: RuntimeService
    public var images: ImageManager
    public var network: any NetworkPlugin
    public var volumes: VolumeManager
    public var objects: any VolumeObjectSource
    /// The same for pods of manifest files, which may use objects of manifest files.
    public var staticVolumes: VolumeManager
    public var staticObjects: any VolumeObjectSource
    public var services: @Sendable () -> [Service]
    public var statuses: PodStatusManager
    public var events: EventRecorder
    public var hostIPs: [String]
    public var nodeMemoryBytes: Int64
    public var nodeAllocatable: @Sendable () -> [String: Quantity]
    public var logger: Logger
    /// Monotonic time since some fixed moment.
    public var monotonic: @Sendable () -> Duration

    public init(
        configuration: NodeAgentConfiguration, runtime: RuntimeService, images: ImageManager,
        network: any NetworkPlugin, volumes: VolumeManager, objects: any VolumeObjectSource,
        staticVolumes: VolumeManager, staticObjects: any VolumeObjectSource,
        services: @escaping @Sendable () -> [Service], statuses: PodStatusManager, events: EventRecorder,
        hostIPs: [String], nodeMemoryBytes: Int64, nodeAllocatable: @escaping @Sendable () -> [String: Quantity],
        logger: Logger, monotonic: @escaping @Sendable () -> Duration
    ) {
        self.configuration = configuration
        self.runtime = runtime
        self.images = images
        self.network = network
        self.volumes = volumes
        self.objects = objects
        self.staticVolumes = staticVolumes
        self.staticObjects = staticObjects
        self.services = services
        self.statuses = statuses
        self.events = events
        self.hostIPs = hostIPs
        self.nodeMemoryBytes = nodeMemoryBytes
        self.nodeAllocatable = nodeAllocatable
        self.logger = logger
        self.monotonic = monotonic
    }
}
