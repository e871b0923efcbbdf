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

    /// The node's HTTPS interface (kubelet's port 10250). Only clients with a certificate of `clientCAPEM` get past the handshake.
    public struct API: Sendable {
        public var listenAddress: String
        public var port: Int
        public var certificatePEM: [UInt8]
        public var keyPEM: [UInt8]
        public var clientCAPEM: [UInt8]
        /// Whether the holder of a client certificate may run commands in containers and reach their ports.
        public var mayStream: @Sendable (_ certificateDER: [UInt8]) async -> Bool

        public init(
            listenAddress: String, port: Int, certificatePEM: [UInt8], keyPEM: [UInt8], clientCAPEM: [UInt8],
            mayStream: @escaping @Sendable (_ certificateDER: [UInt8]) async -> Bool
        ) {
            self.listenAddress = listenAddress
            self.port = port
            self.certificatePEM = certificatePEM
            self.keyPEM = keyPEM
            self.clientCAPEM = clientCAPEM
            self.mayStream = mayStream
        }
    }

    public init(socketPath: String, api: API?, nodeName: String, version: String, maximumConnections: Int = 1000) {
        self.socketPath = socketPath
        self.api = api
        self.nodeName = nodeName
        self.version = version
        self.maximumConnections = maximumConnections
    }
}
