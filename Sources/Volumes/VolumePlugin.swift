import KubernetesAPI
import LinuxKernel

/// One kind of volume: how it gets onto the host.
///
/// Taking volumes away needs no plugin: ``PodTeardown`` undoes whatever is mounted and stored below the pod's
/// directory, also when the pod's specification is long forgotten.
protocol VolumePlugin: Sendable {
    /// The directory below `pods/<uid>/volumes` that holds volumes of this kind.
    static var directoryName: String { get }
    /// The ConfigMaps, Secrets, claims and tokens ``mount(_:)`` reads.
    func objectNames(for pod: Pod) -> PodObjectNames
    /// The content follows its objects, or the pod, as long as the pod lives.
    var isRefreshable: Bool { get }
    /// What somebody else has to do before ``mount(_:)``; nil when it is the plugin's alone.
    func attachment(_ context: VolumeContext) throws(VolumeError) -> VolumeAttachment?
    /// Where ``mount(_:)`` looks without anybody's attachment, if that is none of the node's own places: a look there may hang.
    func foreignPath(_ context: VolumeContext) throws(VolumeError) -> String?
    /// Makes the volume, or finds it as an earlier run of the agent left it, at whichever point that was killed.
    /// Blocks on the kernel.
    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume
}

extension VolumePlugin {
    func objectNames(for pod: Pod) -> PodObjectNames { PodObjectNames() }
    var isRefreshable: Bool { false }
    func attachment(_ context: VolumeContext) throws(VolumeError) -> VolumeAttachment? { nil }
    func foreignPath(_ context: VolumeContext) throws(VolumeError) -> String? { nil }
}

/// What a plugin knows when it mounts one volume of one pod.
struct VolumeContext: Sendable {
    let pod: Pod
    let volumeName: String
    /// Where the volume is in the pod, for messages: `spec.volumes[2]`.
    let fieldPath: String
    /// The volume's own directory below the pod's; it may not exist yet.
    let directory: String
    let objects: PodObjects
    let nodeAllocatable: [String: Quantity]
    let hostPaths: any HostPathGuarding
    /// Host ids of the pod's user namespace; nil with the host's.
    var ids: IDRange?
    /// By volume.
    var images: [String: VolumeImage] = [:]
    /// What others have provided, or are to answer for, by volume: where it is, or why not.
    var attached: [String: Result<AttachedVolume, VolumeError>] = [:]

    /// The group that owns the files, when the pod sets one.
    func groupID() throws(VolumeError) -> UInt32? {
        guard let group = pod.spec.securityContext?.fsGroup else { return nil }
        // The largest id is -1 to chown(2): no change.
        guard let value = UInt32(exactly: group), value < .max else {
            throw VolumeError(
                .invalid, "spec.securityContext.fsGroup \(group) is not a group id: use 0 to \(UInt32.max - 1)")
        }
        return value
    }

    /// The host's id of the user as which all containers run; nil when they name none, or not the same.
    func soleUser() throws(VolumeError) -> UInt32? {
        let spec = pod.spec
        let users = Set(
            (spec.containers + (spec.initContainers ?? []))
                .map { $0.securityContext?.runAsUser ?? spec.securityContext?.runAsUser })
        guard users.count == 1, let user = users.first ?? nil else { return nil }
        // The largest id is -1 to chown(2): no change.
        let inside = UInt32(exactly: user).flatMap { $0 < .max ? $0 : nil }
        guard let inside, let host = ids.map({ $0.hostID(inside) }) ?? inside else {
            throw VolumeError(.invalid, "securityContext.runAsUser \(user) is not a user id of the pod")
        }
        return host
    }

    /// Who owns what is in memory. Not every kernel maps the ids of a tmpfs (before Linux 6.3 none), and nobody but the pod ever
    /// sees it: so its files have the pod's own host ids from the start. Nil leaves an id as the kernel makes it.
    func memoryOwner(group: UInt32?) throws(VolumeError) -> (userID: UInt32?, groupID: UInt32?) {
        guard let ids else { return (nil, group) }
        guard let hostGroup = ids.hostID(group ?? 0) else {
            throw VolumeError(
                .invalid,
                "spec.securityContext.fsGroup \(group ?? 0) is not one of the \(ids.count) ids of the pod's user "
                    + "namespace (hostUsers: false): use 0 to \(ids.count - 1)")
        }
        return (ids.first, hostGroup)
    }
}
