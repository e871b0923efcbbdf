/// What the control endpoint is told by whoever starts it.
public struct ControlEndpointConfiguration: Sendable {
    /// `state.db`, `pki/` and `admin.kubeconfig` live here; created with mode 0700.
    public var rootDirectory: String
    /// IP address to listen on. Anything but loopback opens the endpoint to the network.
    public var listenAddress: String
    /// 0 lets the kernel choose.
    public var port: Int
    /// The node that runs beside the endpoint; its client certificate carries this name.
    public var nodeName: String
    /// That node's agent is in this process; else it is one of those that join, if there is one of this name at all.
    public var hasOwnNode = true
    /// Services get their addresses from here; the first is the API's own.
    public var serviceCIDR: String
    /// Addresses of this machine, besides ``listenAddress``, that clients may know the endpoint by: the pods' gateways.
    public var reachedAt: [String]
    /// Nil writes no request down.
    public var audit: AuditConfiguration?
    /// Connections served at the same time; further ones wait.
    public var maximumConnections = 1000
    /// Seconds a connection may stay without a request.
    public var idleTimeoutSeconds: Int64 = 300
    /// Seconds between sweeps of old events.
    public var eventSweepSeconds: Int64 = 300

    public init(
        rootDirectory: String, listenAddress: String = "127.0.0.1", port: Int = 6443, nodeName: String,
        serviceCIDR: String = "10.96.0.0/16", reachedAt: [String] = []
    ) {
        self.rootDirectory = rootDirectory
        self.listenAddress = listenAddress
        self.port = port
        self.nodeName = nodeName
        self.serviceCIDR = serviceCIDR
        self.reachedAt = reachedAt
    }

    var databasePath: String { rootDirectory + "/state.db" }
    var certificateDirectory: String { rootDirectory + "/pki" }
    /// Where the admin's kubeconfig is written.
    public var kubeconfigPath: String { rootDirectory + "/admin.kubeconfig" }
}

/// The endpoint cannot start. One line names the setting, its value and the way out.
public enum ControlEndpointError: Error, Sendable, CustomStringConvertible {
    case invalidServiceCIDR(String)
    case rootDirectory(path: String, reason: String)
    case store(StoreError)
    case certificate(CertificateError)
    case cannotListen(address: String, port: Int, reason: String)
    case systemObjects(String)

    public var description: String {
        switch self {
        case .invalidServiceCIDR(let value):
            "--service-cidr \"\(value)\" is not an IPv4 network between /8 and /30, such as 10.96.0.0/16"
        case .rootDirectory(let path, let reason):
            "cannot use --root \(path): \(reason); give a directory this user may write to"
        case .store(let error): error.description
        case .certificate(let error): error.description
        case .cannotListen(let address, let port, let reason):
            "cannot listen on \(address):\(port): \(reason); stop the other program or give another --listen"
        case .systemObjects(let reason): "cannot create the system namespaces: \(reason)"
        }
    }
}
