/// The wish to have a volume at a node.
public struct VolumeAttachment: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "storage.k8s.io", version: "v1", kind: "VolumeAttachment", plural: "volumeattachments",
            namespaced: false)
    }

    @APIVersionOf<VolumeAttachment> public var apiVersion: String
    @KindOf<VolumeAttachment> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: VolumeAttachmentSpec = VolumeAttachmentSpec()
    public var status: VolumeAttachmentStatus?

    public init() {}
}

/// Which volume, where, by whom.
public struct VolumeAttachmentSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// The driver.
    @ZeroIfAbsent public var attacher: String = ""
    @ZeroIfAbsent public var source: VolumeAttachmentSource = VolumeAttachmentSource()
    @ZeroIfAbsent public var nodeName: String = ""

    public init() {}
}

/// The volume of a ``VolumeAttachment``.
public struct VolumeAttachmentSource: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var persistentVolumeName: String?
    /// The volume itself, where a pod has it without a claim; kept as it is.
    public var inlineVolumeSpec: JSONValue?

    public init() {}
}

/// The observed state of a ``VolumeAttachment``.
public struct VolumeAttachmentStatus: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var attached: Bool = false
    public var attachmentMetadata: [String: String]?
    public var attachError: VolumeAttachmentError?
    public var detachError: VolumeAttachmentError?

    public init() {}
}

/// What went wrong last.
public struct VolumeAttachmentError: Codable, Hashable, Sendable {
    public var time: Timestamp?
    public var message: String?
    public var errorCode: Int32?

    public init() {}
}
