/// A directory, file or device that containers of a pod can mount. Exactly one source is set.
public struct Volume: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String
    @IndirectIfPresent public var emptyDir: EmptyDirVolumeSource?
    @IndirectIfPresent public var hostPath: HostPathVolumeSource?
    @IndirectIfPresent public var configMap: ConfigMapVolumeSource?
    @IndirectIfPresent public var secret: SecretVolumeSource?
    @IndirectIfPresent public var downwardAPI: DownwardAPIVolumeSource?
    @IndirectIfPresent public var projected: ProjectedVolumeSource?
    @IndirectIfPresent public var persistentVolumeClaim: PersistentVolumeClaimVolumeSource?
    @IndirectIfPresent public var ephemeral: EphemeralVolumeSource?
    @IndirectIfPresent public var nfs: NFSVolumeSource?
    @IndirectIfPresent public var csi: CSIVolumeSource?
    @IndirectIfPresent public var image: ImageVolumeSource?
    /// Never supported here, like every source below; kept so that it survives a round trip.
    @IndirectIfPresent public var gcePersistentDisk: JSONValue?
    @IndirectIfPresent public var awsElasticBlockStore: JSONValue?
    @IndirectIfPresent public var gitRepo: JSONValue?
    @IndirectIfPresent public var iscsi: JSONValue?
    @IndirectIfPresent public var glusterfs: JSONValue?
    @IndirectIfPresent public var rbd: JSONValue?
    @IndirectIfPresent public var flexVolume: JSONValue?
    @IndirectIfPresent public var cinder: JSONValue?
    @IndirectIfPresent public var cephfs: JSONValue?
    @IndirectIfPresent public var flocker: JSONValue?
    @IndirectIfPresent public var fc: JSONValue?
    @IndirectIfPresent public var azureFile: JSONValue?
    @IndirectIfPresent public var vsphereVolume: JSONValue?
    @IndirectIfPresent public var quobyte: JSONValue?
    @IndirectIfPresent public var azureDisk: JSONValue?
    @IndirectIfPresent public var photonPersistentDisk: JSONValue?
    @IndirectIfPresent public var portworxVolume: JSONValue?
    @IndirectIfPresent public var scaleIO: JSONValue?
    @IndirectIfPresent public var storageos: JSONValue?

    public init(
        name: String = "", emptyDir: EmptyDirVolumeSource? = nil, hostPath: HostPathVolumeSource? = nil,
        configMap: ConfigMapVolumeSource? = nil, secret: SecretVolumeSource? = nil,
        downwardAPI: DownwardAPIVolumeSource? = nil, projected: ProjectedVolumeSource? = nil,
        persistentVolumeClaim: PersistentVolumeClaimVolumeSource? = nil, ephemeral: EphemeralVolumeSource? = nil,
        nfs: NFSVolumeSource? = nil, csi: CSIVolumeSource? = nil, image: ImageVolumeSource? = nil,
        gcePersistentDisk: JSONValue? = nil, awsElasticBlockStore: JSONValue? = nil, gitRepo: JSONValue? = nil,
        iscsi: JSONValue? = nil, glusterfs: JSONValue? = nil, rbd: JSONValue? = nil, flexVolume: JSONValue? = nil,
        cinder: JSONValue? = nil, cephfs: JSONValue? = nil, flocker: JSONValue? = nil, fc: JSONValue? = nil,
        azureFile: JSONValue? = nil, vsphereVolume: JSONValue? = nil, quobyte: JSONValue? = nil,
        azureDisk: JSONValue? = nil, photonPersistentDisk: JSONValue? = nil, portworxVolume: JSONValue? = nil,
        scaleIO: JSONValue? = nil, storageos: JSONValue? = nil
    ) {
        self.name = name
        self.emptyDir = emptyDir
        self.hostPath = hostPath
        self.configMap = configMap
        self.secret = secret
        self.downwardAPI = downwardAPI
        self.projected = projected
        self.persistentVolumeClaim = persistentVolumeClaim
        self.ephemeral = ephemeral
        self.nfs = nfs
        self.csi = csi
        self.image = image
        self.gcePersistentDisk = gcePersistentDisk
        self.awsElasticBlockStore = awsElasticBlockStore
        self.gitRepo = gitRepo
        self.iscsi = iscsi
        self.glusterfs = glusterfs
        self.rbd = rbd
        self.flexVolume = flexVolume
        self.cinder = cinder
        self.cephfs = cephfs
        self.flocker = flocker
        self.fc = fc
        self.azureFile = azureFile
        self.vsphereVolume = vsphereVolume
        self.quobyte = quobyte
        self.azureDisk = azureDisk
        self.photonPersistentDisk = photonPersistentDisk
        self.portworxVolume = portworxVolume
        self.scaleIO = scaleIO
        self.storageos = storageos
    }
}

/// A directory that lives as long as the pod.
public struct EmptyDirVolumeSource: Codable, Hashable, Sendable {
    /// Empty for disk, `Memory` for tmpfs, `HugePages` or `HugePages-<size>`.
    public var medium: String?
    /// Bytes.
    public var sizeLimit: Quantity?

    public init(medium: String? = nil, sizeLimit: Quantity? = nil) {
        self.medium = medium
        self.sizeLimit = sizeLimit
    }
}

/// A file or directory of the node.
public struct HostPathVolumeSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var path: String
    /// See ``HostPathType``; empty means no check.
    public var type: String?

    public init(path: String = "", type: String? = nil) {
        self.path = path
        self.type = type
    }
}

/// What must be at a host path.
public enum HostPathType: String, CaseIterable, Sendable {
    case unset = ""
    case directoryOrCreate = "DirectoryOrCreate"
    case directory = "Directory"
    case fileOrCreate = "FileOrCreate"
    case file = "File"
    case socket = "Socket"
    case charDevice = "CharDevice"
    case blockDevice = "BlockDevice"
}

/// A persistent volume claim of the pod's namespace.
public struct PersistentVolumeClaimVolumeSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var claimName: String
    public var readOnly: Bool?

    public init(claimName: String = "", readOnly: Bool? = nil) {
        self.claimName = claimName
        self.readOnly = readOnly
    }
}

/// A persistent volume claim made for the pod and deleted with it.
public struct EphemeralVolumeSource: Codable, Hashable, Sendable {
    public var volumeClaimTemplate: PersistentVolumeClaimTemplate?

    public init(volumeClaimTemplate: PersistentVolumeClaimTemplate? = nil) {
        self.volumeClaimTemplate = volumeClaimTemplate
    }
}

/// The claim an ``EphemeralVolumeSource`` makes.
public struct PersistentVolumeClaimTemplate: Codable, Hashable, Sendable {
    public var metadata: ObjectMeta?
    @ZeroIfAbsent public var spec: PersistentVolumeClaimSpec

    public init(metadata: ObjectMeta? = nil, spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()) {
        self.metadata = metadata
        self.spec = spec
    }
}

/// An NFS export.
public struct NFSVolumeSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var server: String
    @ZeroIfAbsent public var path: String
    public var readOnly: Bool?

    public init(server: String = "", path: String = "", readOnly: Bool? = nil) {
        self.server = server
        self.path = path
        self.readOnly = readOnly
    }
}

/// A volume a CSI driver provides for the pod's lifetime.
public struct CSIVolumeSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var driver: String
    public var readOnly: Bool?
    public var fsType: String?
    public var volumeAttributes: [String: String]?
    public var nodePublishSecretRef: LocalObjectReference?

    public init(
        driver: String = "", readOnly: Bool? = nil, fsType: String? = nil, volumeAttributes: [String: String]? = nil,
        nodePublishSecretRef: LocalObjectReference? = nil
    ) {
        self.driver = driver
        self.readOnly = readOnly
        self.fsType = fsType
        self.volumeAttributes = volumeAttributes
        self.nodePublishSecretRef = nodePublishSecretRef
    }
}

/// The files of an OCI image or artifact, read-only.
public struct ImageVolumeSource: Codable, Hashable, Sendable {
    public var reference: String?
    /// See ``ImagePullPolicy``.
    public var pullPolicy: String?

    public init(reference: String? = nil, pullPolicy: String? = nil) {
        self.reference = reference
        self.pullPolicy = pullPolicy
    }
}
