/// The desired state of a ``Pod``.
public struct PodSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var volumes: [Volume]?
    /// Run one after the other before `containers`; sidecars among them keep running.
    public var initContainers: [Container]?
    @ZeroIfAbsent public var containers: [Container]
    /// Added to a running pod for debugging; never restarted.
    public var ephemeralContainers: [EphemeralContainer]?
    /// See ``RestartPolicy``; absent means `Always`.
    public var restartPolicy: String?
    /// Seconds between the stop signal and the kill; absent means 30.
    public var terminationGracePeriodSeconds: Int64?
    /// Seconds after the start at which the pod fails.
    public var activeDeadlineSeconds: Int64?
    /// See ``DNSPolicy``; absent means `ClusterFirst`.
    public var dnsPolicy: String?
    /// Labels the node must have.
    public var nodeSelector: [String: String]?
    public var serviceAccountName: String?
    /// The former name of `serviceAccountName`, kept equal to it.
    public var serviceAccount: String?
    public var automountServiceAccountToken: Bool?
    /// The node the pod is bound to.
    public var nodeName: String?
    public var hostNetwork: Bool?
    public var hostPID: Bool?
    public var hostIPC: Bool?
    /// One PID namespace for all containers of the pod.
    public var shareProcessNamespace: Bool?
    @IndirectIfPresent public var securityContext: PodSecurityContext?
    public var imagePullSecrets: [LocalObjectReference]?
    public var hostname: String?
    public var subdomain: String?
    @IndirectIfPresent public var affinity: Affinity?
    public var schedulerName: String?
    public var tolerations: [Toleration]?
    /// Extra lines for `/etc/hosts`.
    public var hostAliases: [HostAlias]?
    public var priorityClassName: String?
    public var priority: Int32?
    @IndirectIfPresent public var dnsConfig: PodDNSConfig?
    public var readinessGates: [PodReadinessGate]?
    public var runtimeClassName: String?
    /// Whether services appear as environment variables; absent means true.
    public var enableServiceLinks: Bool?
    /// `PreemptLowerPriority` or `Never`.
    public var preemptionPolicy: String?
    /// What the sandbox itself costs, added to the containers' requests.
    public var overhead: [String: Quantity]?
    public var topologySpreadConstraints: [TopologySpreadConstraint]?
    public var setHostnameAsFQDN: Bool?
    public var os: PodOS?
    /// False gives the pod its own user namespace.
    public var hostUsers: Bool?
    /// The pod is not scheduled while any is left.
    public var schedulingGates: [PodSchedulingGate]?
    public var resourceClaims: [PodResourceClaim]?
    /// Limits and requests of the whole pod.
    public var resources: ResourceRequirements?
    /// The host name exactly as given, whatever `hostname` and `subdomain` say.
    public var hostnameOverride: String?
    public var schedulingGroup: PodSchedulingGroup?

    public init(
        volumes: [Volume]? = nil, initContainers: [Container]? = nil, containers: [Container] = [],
        ephemeralContainers: [EphemeralContainer]? = nil, restartPolicy: String? = nil,
        terminationGracePeriodSeconds: Int64? = nil, activeDeadlineSeconds: Int64? = nil, dnsPolicy: String? = nil,
        nodeSelector: [String: String]? = nil, serviceAccountName: String? = nil, serviceAccount: String? = nil,
        automountServiceAccountToken: Bool? = nil, nodeName: String? = nil, hostNetwork: Bool? = nil,
        hostPID: Bool? = nil, hostIPC: Bool? = nil, shareProcessNamespace: Bool? = nil,
        securityContext: PodSecurityContext? = nil, imagePullSecrets: [LocalObjectReference]? = nil,
        hostname: String? = nil, subdomain: String? = nil, affinity: Affinity? = nil, schedulerName: String? = nil,
        tolerations: [Toleration]? = nil, hostAliases: [HostAlias]? = nil, priorityClassName: String? = nil,
        priority: Int32? = nil, dnsConfig: PodDNSConfig? = nil, readinessGates: [PodReadinessGate]? = nil,
        runtimeClassName: String? = nil, enableServiceLinks: Bool? = nil, preemptionPolicy: String? = nil,
        overhead: [String: Quantity]? = nil, topologySpreadConstraints: [TopologySpreadConstraint]? = nil,
        setHostnameAsFQDN: Bool? = nil, os: PodOS? = nil, hostUsers: Bool? = nil,
        schedulingGates: [PodSchedulingGate]? = nil, resourceClaims: [PodResourceClaim]? = nil,
        resources: ResourceRequirements? = nil, hostnameOverride: String? = nil,
        schedulingGroup: PodSchedulingGroup? = nil
    ) {
        self.volumes = volumes
        self.initContainers = initContainers
        self.containers = containers
        self.ephemeralContainers = ephemeralContainers
        self.restartPolicy = restartPolicy
        self.terminationGracePeriodSeconds = terminationGracePeriodSeconds
        self.activeDeadlineSeconds = activeDeadlineSeconds
        self.dnsPolicy = dnsPolicy
        self.nodeSelector = nodeSelector
        self.serviceAccountName = serviceAccountName
        self.serviceAccount = serviceAccount
        self.automountServiceAccountToken = automountServiceAccountToken
        self.nodeName = nodeName
        self.hostNetwork = hostNetwork
        self.hostPID = hostPID
        self.hostIPC = hostIPC
        self.shareProcessNamespace = shareProcessNamespace
        self.securityContext = securityContext
        self.imagePullSecrets = imagePullSecrets
        self.hostname = hostname
        self.subdomain = subdomain
        self.affinity = affinity
        self.schedulerName = schedulerName
        self.tolerations = tolerations
        self.hostAliases = hostAliases
        self.priorityClassName = priorityClassName
        self.priority = priority
        self.dnsConfig = dnsConfig
        self.readinessGates = readinessGates
        self.runtimeClassName = runtimeClassName
        self.enableServiceLinks = enableServiceLinks
        self.preemptionPolicy = preemptionPolicy
        self.overhead = overhead
        self.topologySpreadConstraints = topologySpreadConstraints
        self.setHostnameAsFQDN = setHostnameAsFQDN
        self.os = os
        self.hostUsers = hostUsers
        self.schedulingGates = schedulingGates
        self.resourceClaims = resourceClaims
        self.resources = resources
        self.hostnameOverride = hostnameOverride
        self.schedulingGroup = schedulingGroup
    }
}

/// When containers that exited are started again.
public enum RestartPolicy: String, CaseIterable, Sendable {
    case always = "Always"
    case onFailure = "OnFailure"
    case never = "Never"
}

/// Where a pod's `/etc/resolv.conf` comes from.
public enum DNSPolicy: String, CaseIterable, Sendable {
    /// Cluster DNS even on the host network.
    case clusterFirstWithHostNet = "ClusterFirstWithHostNet"
    case clusterFirst = "ClusterFirst"
    case `default` = "Default"
    /// Only `dnsConfig`.
    case none = "None"
}
