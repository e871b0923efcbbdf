public import ContainerRuntime
public import LinuxKernel

/// How a node agent is set up.
public struct NodeAgentConfiguration: Sendable {
    public var nodeName: String
    /// `<root>`: pods, images, checkpoints.
    public var rootDirectory: String
    /// `/var/log` or what stands for it: `pods/` and `containers/` below it.
    public var logDirectory: String
    public var cgroups: CgroupManager
    public var clusterDNS: [String]
    public var clusterDomain: String
    public var resources: ResourcePolicy
    /// setrlimit(2) values of every container; others are those of the agent.
    public var resourceLimits: [ResourceLimit]
    public var appArmor: AppArmorHost

    public init(
        nodeName: String, rootDirectory: String, logDirectory: String, cgroups: CgroupManager,
        clusterDNS: [String] = [], clusterDomain: String = "cluster.local",
        resources: ResourcePolicy = ResourcePolicy(), resourceLimits: [ResourceLimit] = [],
        appArmor: AppArmorHost = AppArmorHost()
    ) {
        self.nodeName = nodeName
        self.rootDirectory = rootDirectory
        self.logDirectory = logDirectory
        self.cgroups = cgroups
        self.clusterDNS = clusterDNS
        self.clusterDomain = clusterDomain
        self.resources = resources
        self.resourceLimits = resourceLimits
        self.appArmor = appArmor
    }

    var places: PodPlaces {
        PodPlaces(
            podsDirectory: rootDirectory + "/pods", logsDirectory: logDirectory + "/pods",
            containerLogLinksDirectory: logDirectory + "/containers", claimsDirectory: rootDirectory + "/volumes")
    }
}
