/// Where a container sees a volume.
public struct VolumeMount: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "mountPath" }

    @ZeroIfAbsent public var name: String
    public var readOnly: Bool?
    /// `Disabled`, `IfPossible` or `Enabled`; only with `readOnly`.
    public var recursiveReadOnly: String?
    @ZeroIfAbsent public var mountPath: String
    /// A path inside the volume, relative and without `..`.
    public var subPath: String?
    /// `None` (the default), `HostToContainer` or `Bidirectional`.
    public var mountPropagation: String?
    /// Like `subPath`, with `$(VAR)` expanded.
    public var subPathExpr: String?

    public init(
        name: String = "", readOnly: Bool? = nil, recursiveReadOnly: String? = nil, mountPath: String = "",
        subPath: String? = nil, mountPropagation: String? = nil, subPathExpr: String? = nil
    ) {
        self.name = name
        self.readOnly = readOnly
        self.recursiveReadOnly = recursiveReadOnly
        self.mountPath = mountPath
        self.subPath = subPath
        self.mountPropagation = mountPropagation
        self.subPathExpr = subPathExpr
    }
}

/// Where a container sees a block device.
public struct VolumeDevice: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "devicePath" }

    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var devicePath: String

    public init(name: String = "", devicePath: String = "") {
        self.name = name
        self.devicePath = devicePath
    }
}
