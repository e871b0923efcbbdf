import Volumes

/// What the pods under one rule may ask for. The defaults of the initialiser are the safe side: nothing.
public struct PolicyGrants: Hashable, Sendable {
    /// `securityContext.privileged`.
    public var privileged = false
    public var hostNetwork = false
    public var hostPID = false
    public var hostIPC = false
    /// `ports[].hostPort`.
    public var hostPorts = false
    /// The host's user namespace: what a pod without `hostUsers: false` uses.
    public var hostUsers = false
    /// User 0 in the container: what a pod may be that neither names another user nor says `runAsNonRoot`.
    public var runAsRoot = false
    /// Capabilities beyond the container default, without `CAP_`, or `ALL`.
    public var capabilities: Set<String> = []
    /// Kernel parameters beyond the safe ones: names, or prefixes ending in `*`.
    public var unsafeSysctls: [String] = []
    /// `seccompProfile.type: Unconfined`.
    public var seccompUnconfined = false
    /// `appArmorProfile.type: Unconfined`.
    public var appArmorUnconfined = false
    /// `procMount: Unmasked`.
    public var procMountUnmasked = false
    /// `mountPropagation: Bidirectional`.
    public var bidirectionalPropagation = false
    /// The image `host:///`.
    public var hostRootfs = false
    public var hostPaths = HostPathGrants()
    /// Beginnings of image names; nil is any image.
    public var images: [String]? = []

    public init() {}

    /// For those who wrote a file on this node as root: everything.
    public static let everything: PolicyGrants = {
        var grants = PolicyGrants()
        grants.privileged = true
        grants.hostNetwork = true
        grants.hostPID = true
        grants.hostIPC = true
        grants.hostPorts = true
        grants.hostUsers = true
        grants.runAsRoot = true
        grants.seccompUnconfined = true
        grants.appArmorUnconfined = true
        grants.procMountUnmasked = true
        grants.bidirectionalPropagation = true
        grants.hostRootfs = true
        grants.capabilities = ["ALL"]
        grants.unsafeSysctls = ["*"]
        grants.hostPaths = HostPathGrants(literals: ["/": .readWrite])
        grants.images = nil
        return grants
    }()

    /// For those who can make pods from elsewhere: what applications ask for, and nothing by which a container becomes
    /// root on the host.
    static let standard: PolicyGrants = {
        var grants = PolicyGrants()
        grants.hostNetwork = true
        grants.hostPorts = true
        grants.hostUsers = true
        grants.runAsRoot = true
        grants.seccompUnconfined = true
        grants.appArmorUnconfined = true
        grants.hostPaths = HostPathGrants(literals: standardPaths)
        grants.images = nil
        return grants
    }()

    /// Data directories, wherever they are, but none of the places from which the host runs programs, takes its
    /// configuration, or is told what to do. Some that tell of the host what every container may know.
    private static let standardPaths: [String: HostPathAccess] = {
        var paths: [String: HostPathAccess] = ["/": .readWrite]
        for path in [
            "/bin", "/boot", "/dev", "/efi", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/lost+found",
            "/nix", "/root", "/run", "/sbin", "/snap", "/usr", "/var/cache", "/var/lib/apt", "/var/lib/containers",
            "/var/lib/dpkg", "/var/lib/kubelet", "/var/lib/rpm", "/var/lib/snapd", "/var/lib/systemd", "/var/run",
            "/var/spool",
        ] {
            paths[path] = HostPathAccess.none
        }
        for path in [
            "/etc/ca-certificates", "/etc/localtime", "/etc/machine-id", "/etc/os-release", "/etc/pki/tls/certs",
            "/etc/ssl/certs", "/etc/timezone", "/lib/modules", "/usr/lib/modules", "/usr/lib/os-release",
            "/usr/share", "/usr/src", "/var/lib/containerd", "/var/lib/docker", "/var/log",
        ] {
            paths[path] = .readOnly
        }
        return paths
    }()

    /// What holds without a rule.
    ///
    /// - Parameter allowsHostRootfsFromAPI: the control endpoint is the node's own, so that whoever uses it administers
    ///   this host.
    public static func standard(for source: PodSource, allowsHostRootfsFromAPI: Bool) -> PolicyGrants {
        switch source {
        case .file: return .everything
        case .http:
            var grants = standard
            grants.hostRootfs = true
            return grants
        case .api:
            var grants = standard
            grants.hostRootfs = allowsHostRootfsFromAPI
            return grants
        }
    }
}
