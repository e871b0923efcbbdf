public import KubernetesAPI

/// One answer of `/v1/usage`: totals of the node, its pods and their containers.
public struct TopReading: Hashable, Sendable {
    /// Totals and levels of one thing; nil where the host cannot tell.
    public struct Figures: Hashable, Sendable {
        public var cpuNanoseconds: Int64?
        /// The working set.
        public var memoryBytes: Int64?
        public var memoryLimitBytes: Int64?
        public var readBytes: Int64?
        public var writtenBytes: Int64?
        public var receivedBytes: Int64?
        public var sentBytes: Int64?
        public var tasks: Int64?
        /// Percent of the last ten seconds in which something waited.
        public var cpuPressure: Double?
        public var memoryPressure: Double?
        public var ioPressure: Double?

        public init() {}

        init(_ value: JSONValue) {
            cpuNanoseconds = value["cpuNanoseconds"]?.intValue
            memoryBytes = value["memoryBytes"]?.intValue
            memoryLimitBytes = value["memoryLimitBytes"]?.intValue
            readBytes = value["readBytes"]?.intValue
            writtenBytes = value["writtenBytes"]?.intValue
            receivedBytes = value["receivedBytes"]?.intValue
            sentBytes = value["sentBytes"]?.intValue
            tasks = value["tasks"]?.intValue
            cpuPressure = value["cpuPressure"]?.doubleValue
            memoryPressure = value["memoryPressure"]?.doubleValue
            ioPressure = value["ioPressure"]?.doubleValue
        }
    }

    public struct Container: Hashable, Sendable {
        public var id: String
        public var name: String
        public var figures: Figures

        public init(id: String, name: String, figures: Figures) {
            self.id = id
            self.name = name
            self.figures = figures
        }
    }

    public struct Pod: Hashable, Sendable {
        public var uid: String
        public var namespace: String
        public var name: String
        public var figures: Figures
        public var containers: [Container]

        public init(uid: String, namespace: String, name: String, figures: Figures, containers: [Container]) {
            self.uid = uid
            self.namespace = namespace
            self.name = name
            self.figures = figures
            self.containers = containers
        }
    }

    /// Since 1970.
    public var nanoseconds: Int64
    public var nodeName: String
    public var processors: Int64
    public var memoryTotalBytes: Int64?
    public var diskCapacityBytes: Int64?
    public var diskAvailableBytes: Int64?
    public var node: Figures
    public var pods: [Pod]

    public init(
        nanoseconds: Int64, nodeName: String, processors: Int64, memoryTotalBytes: Int64? = nil, node: Figures,
        pods: [Pod]
    ) {
        self.nanoseconds = nanoseconds
        self.nodeName = nodeName
        self.processors = processors
        self.memoryTotalBytes = memoryTotalBytes
        self.node = node
        self.pods = pods
    }

    /// nil for a document that is no such answer.
    public init?(_ value: JSONValue) {
        guard let nanoseconds = value["nanoseconds"]?.intValue, let node = value["node"] else { return nil }
        self.init(
            nanoseconds: nanoseconds, nodeName: node["name"]?.stringValue ?? "",
            processors: max(1, node["processors"]?.intValue ?? 1),
            memoryTotalBytes: node["memoryTotalBytes"]?.intValue, node: Figures(node),
            pods: (value["pods"]?.arrayValue ?? []).map { pod in
                Pod(
                    uid: pod["uid"]?.stringValue ?? "", namespace: pod["namespace"]?.stringValue ?? "",
                    name: pod["name"]?.stringValue ?? "", figures: Figures(pod),
                    containers: (pod["containers"]?.arrayValue ?? []).map { container in
                        Container(
                            id: container["id"]?.stringValue ?? "", name: container["name"]?.stringValue ?? "",
                            figures: Figures(container))
                    })
            })
        diskCapacityBytes = node["diskCapacityBytes"]?.intValue
        diskAvailableBytes = node["diskAvailableBytes"]?.intValue
    }
}
