import KubernetesAPI

/// What a storage driver says of itself and of this node when it registers (`NodeGetInfo`).
public struct DriverIdentity: Hashable, Sendable {
    public var name: String
    /// What the driver calls this node.
    public var nodeID: String
    /// Where the node is, in the driver's eyes: becomes labels of the Node.
    public var topology: [String: String]
    /// How many of its volumes the node takes; nil when it does not say.
    public var maximumVolumes: Int32?

    public init(name: String, nodeID: String, topology: [String: String] = [:], maximumVolumes: Int32? = nil) {
        self.name = name
        self.nodeID = nodeID
        self.topology = topology
        self.maximumVolumes = maximumVolumes
    }

    /// More labels than this are no place.
    static let topologyLimit = 64

    /// - Throws: for what no Node could show.
    init(name: String, _ answer: ProtobufFields) throws(StorageCall.Failure) {
        func refusal(_ problem: String) -> StorageCall.Failure {
            StorageCall.Failure(code: StorageCall.Failure.unknown, message: "NodeGetInfo: \(problem)")
        }
        let nodeID = answer.text(1)
        guard !nodeID.isEmpty else { throw refusal("node_id is empty") }
        var topology: [String: String] = [:]
        for entry in answer.messages(3).flatMap({ $0.messages(1) }) { topology[entry.text(1)] = entry.text(2) }
        guard topology.count <= Self.topologyLimit else {
            throw refusal("accessible_topology has \(topology.count) segments, more than \(Self.topologyLimit)")
        }
        // They become labels of the Node.
        if let problem = Node(metadata: ObjectMeta(name: "node", labels: topology)).validate().first {
            throw refusal("accessible_topology: \(problem)")
        }
        // An int64; a negative one says nothing.
        let most = Int64(bitPattern: answer.number(2))
        self.init(
            name: name, nodeID: nodeID, topology: topology,
            maximumVolumes: most > 0 ? Int32(clamping: most) : nil)
    }
}

/// The storage drivers of this node at one moment.
public struct DriverInventory: Hashable, Sendable {
    /// By name.
    public var drivers: [DriverIdentity]
    /// Every driver whose socket is there has been heard: what is not listed is gone.
    public var isComplete: Bool

    public init(drivers: [DriverIdentity] = [], isComplete: Bool = false) {
        self.drivers = drivers
        self.isComplete = isComplete
    }
}
