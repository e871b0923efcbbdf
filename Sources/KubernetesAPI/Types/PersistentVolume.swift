/// A piece of storage that one claim may be bound to.
public struct PersistentVolume: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "PersistentVolume", plural: "persistentvolumes",
            singular: "persistentvolume", shortNames: ["pv"], namespaced: false, categories: [])
    }

    @APIVersionOf<PersistentVolume> public var apiVersion: String
    @KindOf<PersistentVolume> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: PersistentVolumeSpec
    /// What controllers say of it.
    public var status: JSONValue?

    public init(metadata: ObjectMeta = ObjectMeta(), spec: PersistentVolumeSpec = PersistentVolumeSpec()) {
        self.metadata = metadata
        self.spec = spec
    }
}

/// The storage, and whom it is for. Exactly one source is set.
public struct PersistentVolumeSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// By resource name; `storage` in bytes.
    public var capacity: [String: Quantity]?
    /// `ReadWriteOnce`, `ReadOnlyMany`, `ReadWriteMany` or `ReadWriteOncePod`.
    public var accessModes: [String]?
    /// The one claim that may have the volume.
    public var claimRef: ObjectReference?
    /// `Retain`, `Delete` or `Recycle`.
    public var persistentVolumeReclaimPolicy: String?
    public var storageClassName: String?
    public var mountOptions: [String]?
    /// `Filesystem` or `Block`.
    public var volumeMode: String?
    /// Which nodes have the volume. A node that reads it from its own manifests is one.
    public var nodeAffinity: JSONValue?
    public var volumeAttributesClassName: String?
    public var hostPath: HostPathVolumeSource?
    public var local: LocalVolumeSource?
    public var nfs: JSONValue?
    public var csi: JSONValue?
    /// Never supported here, like every source below; kept so that it survives a round trip.
    public var iscsi: JSONValue?
    public var fc: JSONValue?
    public var gcePersistentDisk: JSONValue?
    public var awsElasticBlockStore: JSONValue?
    public var azureDisk: JSONValue?
    public var azureFile: JSONValue?
    public var cephfs: JSONValue?
    public var cinder: JSONValue?
    public var flexVolume: JSONValue?
    public var flocker: JSONValue?
    public var glusterfs: JSONValue?
    public var photonPersistentDisk: JSONValue?
    public var portworxVolume: JSONValue?
    public var quobyte: JSONValue?
    public var rbd: JSONValue?
    public var scaleIO: JSONValue?
    public var storageos: JSONValue?
    public var vsphereVolume: JSONValue?

    public init(
        capacity: [String: Quantity]? = nil, accessModes: [String]? = nil, claimRef: ObjectReference? = nil,
        hostPath: HostPathVolumeSource? = nil, local: LocalVolumeSource? = nil
    ) {
        self.capacity = capacity
        self.accessModes = accessModes
        self.claimRef = claimRef
        self.hostPath = hostPath
        self.local = local
    }

    /// The JSON names of the sources that are set; a valid volume has one.
    public var sourceNames: [String] {
        let sources: [(String, JSONValue?)] = [
            ("nfs", nfs), ("csi", csi), ("iscsi", iscsi), ("fc", fc), ("gcePersistentDisk", gcePersistentDisk),
            ("awsElasticBlockStore", awsElasticBlockStore), ("azureDisk", azureDisk), ("azureFile", azureFile),
            ("cephfs", cephfs), ("cinder", cinder), ("flexVolume", flexVolume), ("flocker", flocker),
            ("glusterfs", glusterfs), ("photonPersistentDisk", photonPersistentDisk),
            ("portworxVolume", portworxVolume), ("quobyte", quobyte), ("rbd", rbd), ("scaleIO", scaleIO),
            ("storageos", storageos), ("vsphereVolume", vsphereVolume),
        ]
        return (hostPath == nil ? [] : ["hostPath"]) + (local == nil ? [] : ["local"])
            + sources.filter { $0.1 != nil }.map(\.0)
    }
}

/// A directory of the node that is there already, such as where a disk is mounted.
public struct LocalVolumeSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var path: String
    /// Of a block device; means nothing for a directory.
    public var fsType: String?

    public init(path: String = "", fsType: String? = nil) {
        self.path = path
        self.fsType = fsType
    }
}
