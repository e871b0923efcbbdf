/// What gives a sandbox its network. One per node; its calls for one sandbox are made one after the other.
public protocol NetworkPlugin: Sendable {
    /// Makes what all pods share and repairs what of it has drifted. To be called before the first attach, and again at
    /// will.
    func start() async throws(NetworkError)

    /// Connects a sandbox, or finds that it is connected: the same answer for the same sandbox, also after the agent
    /// died half-way.
    func attach(_ request: AttachRequest) async throws(NetworkError) -> PodNetworkStatus

    /// Frees the sandbox's addresses for good. Its interface goes with its network namespace.
    func detach(sandboxID: String) async

    /// What attach answered; nil for a sandbox that is not attached.
    func status(sandboxID: String) async -> PodNetworkStatus?

    /// Frees the addresses of every sandbox that is not listed.
    func retain(sandboxIDs: Set<String>) async

    /// Ends the service. Without `removingBridge` running pods keep their network; with it everything goes that this or a former
    /// life has made, started or not.
    func stop(removingBridge: Bool) async

    /// What this host cannot do, one sentence each with its consequence, for the node's conditions. Empty when all is
    /// well.
    var shortfalls: [String] { get async }
}

extension NetworkPlugin {
    public var shortfalls: [String] { get async { [] } }
}

/// Which sandbox to connect.
public struct AttachRequest: Hashable, Sendable {
    public var sandboxID: String
    /// The bind-mounted file of the sandbox's network namespace.
    public var namespacePath: String
    public var podNamespace: String
    public var podName: String

    public init(sandboxID: String, namespacePath: String, podNamespace: String, podName: String) {
        self.sandboxID = sandboxID
        self.namespacePath = namespacePath
        self.podNamespace = podNamespace
        self.podName = podName
    }
}

/// How a sandbox is connected.
public struct PodNetworkStatus: Hashable, Sendable {
    /// The pod's addresses, IPv4 first.
    public var addresses: [IPAddress]
    /// The next hop of the default route of the first address.
    public var gateway: IPAddress
    /// The interface inside the sandbox.
    public var interface: String
    /// Its other end on the host.
    public var hostInterface: String

    public init(addresses: [IPAddress], gateway: IPAddress, interface: String = "eth0", hostInterface: String) {
        self.addresses = addresses
        self.gateway = gateway
        self.interface = interface
        self.hostInterface = hostInterface
    }
}
