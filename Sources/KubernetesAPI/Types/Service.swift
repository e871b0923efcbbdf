/// A stable name and virtual address for a set of pods.
public struct Service: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "Service", plural: "services",
            singular: "service", shortNames: ["svc"], namespaced: true, categories: ["all"])
    }

    @APIVersionOf<Service> public var apiVersion: String
    @KindOf<Service> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: ServiceSpec
    public var status: ServiceStatus?

    public init(metadata: ObjectMeta = ObjectMeta(), spec: ServiceSpec = ServiceSpec(), status: ServiceStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The desired state of a ``Service``.
public struct ServiceSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var ports: [ServicePort]?
    public var selector: [String: String]?
    /// The virtual address; `None` makes the service headless.
    public var clusterIP: String?
    /// One per family; the first equals `clusterIP`.
    public var clusterIPs: [String]?
    /// See ``ServiceType``.
    public var type: String?
    public var externalIPs: [String]?
    /// `ClientIP` or `None`.
    public var sessionAffinity: String?
    public var loadBalancerIP: String?
    public var loadBalancerSourceRanges: [String]?
    /// The DNS name a service of type `ExternalName` stands for.
    public var externalName: String?
    /// `Cluster` or `Local`.
    public var externalTrafficPolicy: String?
    public var healthCheckNodePort: Int32?
    public var publishNotReadyAddresses: Bool?
    public var sessionAffinityConfig: SessionAffinityConfig?
    /// `IPv4` and `IPv6`.
    public var ipFamilies: [String]?
    /// `SingleStack`, `PreferDualStack` or `RequireDualStack`.
    public var ipFamilyPolicy: String?
    public var allocateLoadBalancerNodePorts: Bool?
    public var loadBalancerClass: String?
    /// `Cluster` or `Local`.
    public var internalTrafficPolicy: String?
    public var trafficDistribution: String?

    public init(
        ports: [ServicePort]? = nil, selector: [String: String]? = nil, clusterIP: String? = nil,
        clusterIPs: [String]? = nil, type: String? = nil, externalIPs: [String]? = nil, sessionAffinity: String? = nil,
        loadBalancerIP: String? = nil, loadBalancerSourceRanges: [String]? = nil, externalName: String? = nil,
        externalTrafficPolicy: String? = nil, healthCheckNodePort: Int32? = nil, publishNotReadyAddresses: Bool? = nil,
        sessionAffinityConfig: SessionAffinityConfig? = nil, ipFamilies: [String]? = nil,
        ipFamilyPolicy: String? = nil, allocateLoadBalancerNodePorts: Bool? = nil, loadBalancerClass: String? = nil,
        internalTrafficPolicy: String? = nil, trafficDistribution: String? = nil
    ) {
        self.ports = ports
        self.selector = selector
        self.clusterIP = clusterIP
        self.clusterIPs = clusterIPs
        self.type = type
        self.externalIPs = externalIPs
        self.sessionAffinity = sessionAffinity
        self.loadBalancerIP = loadBalancerIP
        self.loadBalancerSourceRanges = loadBalancerSourceRanges
        self.externalName = externalName
        self.externalTrafficPolicy = externalTrafficPolicy
        self.healthCheckNodePort = healthCheckNodePort
        self.publishNotReadyAddresses = publishNotReadyAddresses
        self.sessionAffinityConfig = sessionAffinityConfig
        self.ipFamilies = ipFamilies
        self.ipFamilyPolicy = ipFamilyPolicy
        self.allocateLoadBalancerNodePorts = allocateLoadBalancerNodePorts
        self.loadBalancerClass = loadBalancerClass
        self.internalTrafficPolicy = internalTrafficPolicy
        self.trafficDistribution = trafficDistribution
    }
}

/// One port of a ``Service``.
public struct ServicePort: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "port" }

    public var name: String?
    /// `TCP`, `UDP` or `SCTP`; absent means `TCP`.
    public var `protocol`: String?
    public var appProtocol: String?
    /// The port clients connect to.
    @ZeroIfAbsent public var port: Int32
    /// The pods' port, by number or by name; absent means `port`.
    public var targetPort: IntOrString?
    public var nodePort: Int32?

    public init(
        name: String? = nil, protocol: String? = nil, appProtocol: String? = nil, port: Int32 = 0,
        targetPort: IntOrString? = nil, nodePort: Int32? = nil
    ) {
        self.name = name
        self.protocol = `protocol`
        self.appProtocol = appProtocol
        self.port = port
        self.targetPort = targetPort
        self.nodePort = nodePort
    }
}

/// How long a client sticks to one pod.
public struct SessionAffinityConfig: Codable, Hashable, Sendable {
    public var clientIP: ClientIPConfig?

    public init(clientIP: ClientIPConfig? = nil) {
        self.clientIP = clientIP
    }
}

/// Session affinity by client address.
public struct ClientIPConfig: Codable, Hashable, Sendable {
    /// Seconds, 1 to 86400; absent means 10800.
    public var timeoutSeconds: Int32?

    public init(timeoutSeconds: Int32? = nil) {
        self.timeoutSeconds = timeoutSeconds
    }
}

/// The observed state of a ``Service``.
public struct ServiceStatus: Codable, Hashable, Sendable {
    public var loadBalancer: LoadBalancerStatus?
    public var conditions: [Condition]?

    public init(loadBalancer: LoadBalancerStatus? = nil, conditions: [Condition]? = nil) {
        self.loadBalancer = loadBalancer
        self.conditions = conditions
    }
}

/// Where a load balancer answers.
public struct LoadBalancerStatus: Codable, Hashable, Sendable {
    public var ingress: [LoadBalancerIngress]?

    public init(ingress: [LoadBalancerIngress]? = nil) {
        self.ingress = ingress
    }
}

/// One address of a load balancer.
public struct LoadBalancerIngress: Codable, Hashable, Sendable {
    public var ip: String?
    public var hostname: String?
    /// `VIP` or `Proxy`.
    public var ipMode: String?
    public var ports: [PortStatus]?

    public init(ip: String? = nil, hostname: String? = nil, ipMode: String? = nil, ports: [PortStatus]? = nil) {
        self.ip = ip
        self.hostname = hostname
        self.ipMode = ipMode
        self.ports = ports
    }
}

/// Whether one port of a load balancer works.
public struct PortStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var port: Int32
    @ZeroIfAbsent public var `protocol`: String
    public var error: String?

    public init(port: Int32 = 0, protocol: String = "", error: String? = nil) {
        self.port = port
        self.protocol = `protocol`
        self.error = error
    }
}

/// How a ``Service`` is reached.
public enum ServiceType: String, CaseIterable, Sendable {
    case clusterIP = "ClusterIP"
    case externalName = "ExternalName"
    case loadBalancer = "LoadBalancer"
    case nodePort = "NodePort"
}
