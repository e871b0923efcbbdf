public import KubernetesAPI

/// A volume that a storage driver (CSI) makes on this node: what the driver is told of it.
public struct DriverVolume: Hashable, Sendable {
    /// The driver's name, as it registers itself.
    public var driver: String
    /// What the driver calls the volume.
    public var handle: String
    public var readOnly = false
    /// Empty leaves it to the driver.
    public var fileSystem = ""
    public var attributes: [String: String] = [:]
    public var mountOptions: [String] = []
    /// As in `spec.accessModes` of the volume.
    public var accessModes: [String] = ["ReadWriteOnce"]
    /// A device rather than files.
    public var isBlock = false
    /// It lives as long as its pod, which describes it itself.
    public var isEphemeral = false
    /// Secrets the driver gets with the call: namespace and name.
    public var stageSecret: ObjectReference?
    public var publishSecret: ObjectReference?
    public var expandSecret: ObjectReference?
    /// It is larger than its claim says: the node's part of that is to be done.
    public var growth: Growth?

    /// A claim whose volume has grown.
    public struct Growth: Hashable, Sendable {
        public var namespace: String
        public var claim: String
        /// In bytes.
        public var size: Quantity

        public init(namespace: String, claim: String, size: Quantity) {
            self.namespace = namespace
            self.claim = claim
            self.size = size
        }
    }

    public init(driver: String, handle: String) {
        self.driver = driver
        self.handle = handle
    }

    /// From `spec.csi` of a persistent volume; nil when it names no driver or no volume.
    public init?(_ volume: PersistentVolume) {
        guard let source = volume.spec.csi?.objectValue, case .string(let driver)? = source["driver"],
            case .string(let handle)? = source["volumeHandle"], Self.isSafe(driver: driver), !handle.isEmpty
        else { return nil }
        self.init(driver: driver, handle: handle)
        readOnly = source["readOnly"] == .bool(true)
        if case .string(let type)? = source["fsType"] { fileSystem = type }
        for (key, value) in source["volumeAttributes"]?.objectValue ?? [:] {
            if case .string(let text) = value { attributes[key] = text }
        }
        mountOptions = volume.spec.mountOptions ?? []
        accessModes = volume.spec.accessModes ?? []
        isBlock = volume.spec.volumeMode == "Block"
        stageSecret = Self.reference(source["nodeStageSecretRef"])
        publishSecret = Self.reference(source["nodePublishSecretRef"])
        expandSecret = Self.reference(source["nodeExpandSecretRef"])
    }

    private static func reference(_ value: JSONValue?) -> ObjectReference? {
        guard let fields = value?.objectValue, case .string(let name)? = fields["name"],
            case .string(let namespace)? = fields["namespace"]
        else { return nil }
        return ObjectReference(namespace: namespace, name: name)
    }

    /// A name becomes part of a path.
    static func isSafe(driver: String) -> Bool {
        (1...63).contains(driver.utf8.count) && driver.utf8.first != UInt8(ascii: ".")
            && driver.utf8.allSatisfy(PodVolumeLayout.isNameByte)
    }
}
