public import KubernetesAPI
public import Volumes

/// All that the environment of a container is made of besides the pod itself.
public struct EnvironmentInputs: Sendable {
    /// What ``ContainerEnvironment/objectNames(for:)`` asked for.
    public var objects: PodObjects
    /// Of every namespace, as the node knows them.
    public var services: [Service]
    public var placement: DownwardAPI.Placement
    /// What the node has for pods, by resource name: the value of limits that are not set.
    public var nodeAllocatable: [String: Quantity]
    /// The pod's host name inside its sandbox.
    public var hostname: String
    /// `KEY=value`, from the image's configuration.
    public var imageEnvironment: [String]
    /// The home directory of the container's user; nil when unknown.
    public var home: String?

    public init(
        objects: PodObjects = PodObjects(), services: [Service] = [], placement: DownwardAPI.Placement,
        nodeAllocatable: [String: Quantity] = [:], hostname: String, imageEnvironment: [String] = [],
        home: String? = nil
    ) {
        self.objects = objects
        self.services = services
        self.placement = placement
        self.nodeAllocatable = nodeAllocatable
        self.hostname = hostname
        self.imageEnvironment = imageEnvironment
        self.home = home
    }
}
