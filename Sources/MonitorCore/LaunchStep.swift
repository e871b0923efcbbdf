/// One thing a container's init process does to itself between clone(2) and execve(2).
///
/// The interpreter in the monitor carries steps out in order and stops at the first that fails; which steps, and in which
/// order, is the planner's decision alone. Paths marked *root* are resolved inside the container's root directory
/// (`openat2(RESOLVE_IN_ROOT)`); all others are the agent's own.
public enum LaunchStep: Hashable, Sendable {
    /// Writes "0" to a v1 `tasks` file: a single-threaded process moves without waiting for an RCU grace period.
    case joinCgroup(tasksFile: CString)
    /// setns(2) to a namespace pinned at a path.
    case enterNamespace(path: CString, type: UInt32)
    /// setns(2) to several namespaces of the container's init at once, through the monitor's pidfd (exec).
    case enterContainerNamespaces(types: UInt32)
    case unshare(flags: UInt32)
    /// Propagation of every mount of the new mount namespace (`MS_SLAVE | MS_REC`): ours never reach the host.
    case setPropagation(flags: UInt64)
    /// Takes hold of a host path's mounts as they are shared with the host, before ``setPropagation(flags:)`` ends that: a later
    /// ``bind(_:)`` of the same source uses them, so that mounts made on either side show on the other.
    case shareSource(CString, forbidsLinks: Bool)
    /// Mounts the container's root, an overlay, at `target` and makes it the root of all later *root* paths.
    case mountOverlayRoot(lower: [CString], upper: CString, work: CString, target: CString)
    /// A new file system on a *root* path, which is created when missing and must be an ordinary directory.
    case mount(type: CString, target: CString, attributes: UInt64, options: [MountOption])
    /// A bind mount of a host path on a *root* path.
    case bind(BindMount)
    /// The same; a symbolic link anywhere in the host path is ELOOP, so that what was checked is what is mounted.
    case bindWithoutLinks(BindMount)
    /// mknod(2) of a *root* path.
    case deviceNode(path: CString, mode: UInt32, major: UInt32, minor: UInt32)
    /// chown(2) of a *root* path, which is no symbolic link.
    case changeOwner(path: CString, user: UInt32, group: UInt32)
    case symbolicLink(target: CString, path: CString)
    /// A *root* directory and its missing parents.
    case makeDirectory(CString)
    /// Hides a *root* path: an empty read-only tmpfs over a directory, /dev/null over a file. Absent is fine.
    case maskPath(CString)
    /// Makes a *root* path a read-only mount. Absent is fine.
    case readOnlyPath(CString)
    /// pivot_root(2) into the new root, the old one detached.
    case pivotRoot
    /// mount_setattr(2) of the root: the root file system itself, not what is mounted on it.
    case makeRootReadOnly
    case resourceLimit(resource: UInt32, soft: UInt64, hard: UInt64)
    /// /proc/self/oom_score_adj; lowering it without CAP_SYS_RESOURCE is refused by the kernel and let pass.
    case outOfMemoryScore(Int32)
    /// Reports that all is set up and waits to be released. Before it nothing of the container's runs.
    case awaitRelease
    /// Drops every capability not in the mask from the bounding set.
    case boundingCapabilities(UInt64)
    case supplementaryGroups([UInt32])
    case groupID(UInt32)
    /// setresuid(2) with capabilities kept for the step after.
    case userID(UInt32)
    case capabilities(effective: UInt64, permitted: UInt64, inheritable: UInt64)
    case noNewPrivileges
    /// A compiled BPF program, as an array of `struct sock_filter`.
    case seccompFilter([UInt8])
    /// chdir(2), then a check that the directory is inside the root (CVE-2024-21626).
    case workingDirectory(CString)
    /// SIGKILL when the monitor dies. After the change of user, which resets it.
    case parentDeathSignal
    /// Closes every descriptor but 0, 1, 2 and the close-on-exec report socket.
    case closeDescriptors
    /// execve(2) of the first candidate that exists.
    case execute(candidates: [CString], arguments: [CString], environment: [CString])

    // With a user namespace the launch has two halves: what needs the host's rights, and what needs the pod's ids.

    /// Opens the user namespace whose ids the mounts of later steps show. Nothing is entered yet.
    case openUserNamespace(path: CString)
    /// As ``mountOverlayRoot(lower:upper:work:target:)``, over lower directories whose ids are mapped if it says so. The root is
    /// kept detached.
    case openOverlayRoot(lower: [CString], upper: CString, work: CString, target: CString, mapsIDs: Bool)
    /// Takes the tree of a bind mount now, with the host's rights, for a later ``attachBind``: first in, first out.
    case openBind(BindMount, forbidsLinks: Bool, mapsIDs: Bool)
    /// Makes the pipes that are standard output and error a host user's, who may then open them anew by /dev/stdout.
    case ownStandardStreams(userID: UInt32)
    /// Clones the process that goes on as the first of a new PID namespace, owned by the user namespace it is in; this one ends.
    case becomeInit
    /// Attaches the root kept by ``openOverlayRoot(lower:upper:work:target:mapsIDs:)`` and makes it the root of *root* paths.
    case attachRoot(target: CString)
    case attachBind
    /// Binds the host's device of this path and number on the same *root* path.
    case bindDevice(path: CString, major: UInt32, minor: UInt32)
    case setHostName(CString)
    /// Has the kernel put the program of the coming execve(2) under an AppArmor profile. Before any filter, and with the container's
    /// own /proc.
    case appArmorProfile(CString)
    /// Opens a terminal in the container's own devpts, as the user it will be, sends its master over standard input (a unix socket),
    /// and makes it the controlling terminal and all three standard streams.
    case openTerminal
    /// Of a container whose standard input is kept open for those who attach: the monitor's business, nothing for init.
    case keepInput
}

/// One `fsconfig(2)` parameter; without a value it is a flag.
public struct MountOption: Hashable, Sendable {
    public let key: CString
    public let value: CString?

    public init(key: CString, value: CString? = nil) {
        self.key = key
        self.value = value
    }
}

/// open_tree(2) + mount_setattr(2) + move_mount(2), all by descriptor.
public struct BindMount: Hashable, Sendable {
    /// What to make when the target does not exist.
    public enum TargetKind: UInt8, Sendable {
        case directory, file
    }

    public let source: CString
    public let target: CString
    public let kind: TargetKind
    /// `MOUNT_ATTR_*` set on the mount and all below.
    public let attributes: UInt64
    /// `MS_PRIVATE`, `MS_SLAVE` or `MS_SHARED`.
    public let propagation: UInt64
    /// `MOUNT_ATTR_*` set on the mount itself and not on those below.
    public let topAttributes: UInt64

    public init(
        source: CString, target: CString, kind: TargetKind, attributes: UInt64, propagation: UInt64,
        topAttributes: UInt64 = 0
    ) {
        self.source = source
        self.target = target
        self.kind = kind
        self.attributes = attributes
        self.propagation = propagation
        self.topAttributes = topAttributes
    }
}
