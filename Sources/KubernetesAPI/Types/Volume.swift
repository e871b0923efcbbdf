/// A directory, file or device that containers of a pod can mount. Exactly one source is set.
public struct Volume: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String
    public var emptyDir: EmptyDirVolumeSource?
    public var hostPath: HostPathVolumeSource?
    public var configMap: ConfigMapVolumeSource?
    public var secret: SecretVolumeSource?
    public var downwardAPI: DownwardAPIVolumeSource?
    public var projected: ProjectedVolumeSource?
    public var persistentVolumeClaim: PersistentVolumeClaimVolumeSource?
    public var ephemeral: EphemeralVolumeSource?
    public var nfs: NFSVolumeSource?
    public var csi: CSIVolumeSource?
    public var image: ImageVolumeSource?
    /// Never supported here, like every source below; kept so that it survives a round trip.
    public var gcePersistentDisk: JSONValue?
    public var awsElasticBlockStore: JSONValue?
    public var gitRepo: JSONValue?
    public var iscsi: JSONValue?
    public var glusterfs: JSONValue?
    public var rbd: JSONValue?
    public var flexVolume: JSONValue?
    public var cinder: JSONValue?
    public var cephfs: JSONValue?
    public var flocker: JSONValue?
    public var fc: JSONValue?
    public var azureFile: JSONValue?
    public var vsphereVolume: JSONValue?
    public var quobyte: JSONValue?
    public var azureDisk: JSONValue?
    public var photonPersistentDisk: JSONValue?
    public var portworxVolume: JSONValue?
    public var scaleIO: JSONValue?
    public var storageos: JSONValue?

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
