/// Security settings of all containers of a pod.
public struct PodSecurityContext: Codable, Hashable, Sendable {
    public var seLinuxOptions: SELinuxOptions?
    public var windowsOptions: WindowsSecurityContextOptions?
    public var runAsUser: Int64?
    public var runAsGroup: Int64?
    /// True refuses to start a container that would run as uid 0.
    public var runAsNonRoot: Bool?
    public var supplementalGroups: [Int64]?
    /// `Merge` (the default, adds the image's groups) or `Strict`.
    public var supplementalGroupsPolicy: String?
    /// The group that owns the pod's volumes.
    public var fsGroup: Int64?
    public var sysctls: [Sysctl]?
    /// `Always` (the default) or `OnRootMismatch`.
    public var fsGroupChangePolicy: String?
    public var seccompProfile: SeccompProfile?
    public var appArmorProfile: AppArmorProfile?
    /// `MountOption` or `Recursive`.
    public var seLinuxChangePolicy: String?

    public init(
        seLinuxOptions: SELinuxOptions? = nil, windowsOptions: WindowsSecurityContextOptions? = nil,
        runAsUser: Int64? = nil, runAsGroup: Int64? = nil, runAsNonRoot: Bool? = nil,
        supplementalGroups: [Int64]? = nil, supplementalGroupsPolicy: String? = nil, fsGroup: Int64? = nil,
        sysctls: [Sysctl]? = nil, fsGroupChangePolicy: String? = nil, seccompProfile: SeccompProfile? = nil,
        appArmorProfile: AppArmorProfile? = nil, seLinuxChangePolicy: String? = nil
    ) {
        self.seLinuxOptions = seLinuxOptions
        self.windowsOptions = windowsOptions
        self.runAsUser = runAsUser
        self.runAsGroup = runAsGroup
        self.runAsNonRoot = runAsNonRoot
        self.supplementalGroups = supplementalGroups
        self.supplementalGroupsPolicy = supplementalGroupsPolicy
        self.fsGroup = fsGroup
        self.sysctls = sysctls
        self.fsGroupChangePolicy = fsGroupChangePolicy
        self.seccompProfile = seccompProfile
        self.appArmorProfile = appArmorProfile
        self.seLinuxChangePolicy = seLinuxChangePolicy
    }
}

/// One kernel parameter of the pod's namespaces.
public struct Sysctl: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var value: String

    public init(name: String = "", value: String = "") {
        self.name = name
        self.value = value
    }
}
