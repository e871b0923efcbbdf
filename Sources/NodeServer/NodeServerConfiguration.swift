public import KubernetesAPI

/// Where the node's own interfaces listen.
public struct NodeServerConfiguration: Sendable {
    /// The local verbs' socket, mode 0600.
    public var socketPath: String
    /// The node API; nil leaves it closed.
    public var api: API?
    public var nodeName: String
    public var version: String
    /// Connections that each of the interfaces holds at a time; others wait.
    public var maximumConnections: Int

    /// What `/configz` shows: a KubeletConfiguration.
    public var kubeletConfiguration: JSONValue
    /// What `/logs/` shows.
    public var hostLogDirectory: String

    /// The node's HTTPS interface (kubelet's port 10250). Clients prove who they are with a certificate or a token.
    public struct API: Sendable {
        public var listenAddress: String
        public var port: Int
        public var certificate: ServingCertificate
        /// Authorities whose names clients are told in the handshake, for those with several certificates; the reviewer decides.
        public var clientCAPEM: [UInt8]
        public var reviewer: any AccessReviewer
        public var roles: NodeRoles

        public init(
            listenAddress: String, port: Int, certificate: ServingCertificate, clientCAPEM: [UInt8],
            reviewer: any AccessReviewer, roles: NodeRoles
        ) {
            self.listenAddress = listenAddress
            self.port = port
            self.certificate = certificate
            self.clientCAPEM = clientCAPEM
            self.reviewer = reviewer
            self.roles = roles
        }
    }

    public init(
        socketPath: String, api: API?, nodeName: String, version: String, kubeletConfiguration: JSONValue,
        hostLogDirectory: String, maximumConnections: Int = 1000
    ) {
        self.socketPath = socketPath
        self.api = api
        self.nodeName = nodeName
        self.version = version
        self.kubeletConfiguration = kubeletConfiguration
        self.hostLogDirectory = hostLogDirectory
        self.maximumConnections = maximumConnections
    }
}
