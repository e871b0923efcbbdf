import CLinux
import MonitorCoreEmbedded

/// Carries a plan's steps out, in order, in the process that becomes the container's (or an exec's). It decides nothing.
///
/// It runs between clone(2) and execve(2) in a single-threaded process without a Swift runtime: no crash handler of ours can
/// be made to run a file of the container's.
struct LaunchInterpreter: ~Copyable {
    /// SOCK_SEQPACKET, close-on-exec: "R" and failures go out, the release comes in, and its closing proves execve.
    let report: Int32
    let entry: ChildProcess.Entry
    /// Of a launcher, until it has its successor.
    var note: SuccessorNote?
    /// The /proc of the PID namespace that is joined, which nobody outside of it can mount; -1 when it is mounted anew.
    var lentProc: Int32 = -1
    /// Standard input is to be the controlling terminal of the session.
    var controlsTerminal = false
    var root: RootDirectory?
    /// An empty tmpfs over the first masked directory, cloned for every other.
    private var emptyDirectory: Int32 = -1
    /// Mounts taken hold of while they were still shared with the host, by their source.
    private var sharedSources: [(source: CString, tree: Int32)] = []
    /// What maps the ids of mounts; -1 without a user namespace.
    var userNamespace: Int32 = -1
    /// The container's root before it is attached; -1 without a user namespace.
    var detachedRoot: Int32 = -1
    /// Trees of bind mounts that wait for their turn, and how many have had it.
    var openBinds: [(tree: Int32, bind: BindMount)] = []
    var attachedBinds = 0

    init(report: Int32, entry: ChildProcess.Entry, note: SuccessorNote?) {
        self.report = report
        self.entry = entry
        self.note = note
    }

    /// Returns only by failing: the last step replaces the process.
    mutating func run(_ steps: [LaunchStep]) -> LaunchFailure {
        let isLauncher = note != nil
        do { try beginLaunch(of: steps) } catch {
            return LaunchFailure(step: LaunchFailure.noStep, errno: error.errno)
        }
        for index in order(of: steps, isLauncher: isLauncher) {
            if case .execute = steps[index] {
                do { try appear() } catch {
                    return LaunchFailure(step: LaunchFailure.appearance, errno: error.errno)
                }
            }
            do { try carryOut(steps[index]) } catch {
                return LaunchFailure(step: UInt32(index), errno: error.errno)
            }
        }
        return LaunchFailure(step: LaunchFailure.noStep, errno: EINVAL)
    }

    private mutating func carryOut(_ step: LaunchStep) throws(SystemError) {
        switch step {
        case .joinCgroup(let tasksFile): try overwrite(tasksFile, [0x30])
        case .enterNamespace(let path, let type):
            let namespace = Descriptor(
                owning: try call { path.withPointer { CLinux_open($0, O_RDONLY | O_CLOEXEC, 0) } })
            try call { CLinux_setns(namespace.raw, Int32(bitPattern: type)) }
        case .enterContainerNamespaces(let types): try enterContainer(types)
        case .unshare(let flags): try call { CLinux_unshare(Int32(bitPattern: flags)) }
        case .setPropagation(let flags): try call { mount(nil, "/", nil, UInt(flags), nil) }
        case .shareSource(let source, let forbidsLinks): try share(source, forbidsLinks: forbidsLinks)
        case .mountOverlayRoot(let lower, let upper, let work, let target):
            try mountOverlay(lower: lower, upper: upper, work: work, target: target)
        case .mount(let type, let target, let attributes, let options):
            try mountNew(type: type, target: target, attributes: attributes, options: options)
        case .bind(let bind): try carryOut(bind)
        case .bindWithoutLinks(let bind): try carryOut(bind, forbidsLinks: true)
        case .deviceNode(let path, let mode, let major, let minor):
            let (parent, name) = try requireRoot().parent(of: path)
            defer { close(parent) }
            try call { name.withPointer { mknodat(parent, $0, mode, CLinux_makedev(major, minor)) } }
        case .changeOwner(let path, let user, let group): try changeOwner(of: path, user, group)
        case .symbolicLink(let target, let path):
            let (parent, name) = try requireRoot().parent(of: path)
            defer { close(parent) }
            try call { target.withPointer { target in name.withPointer { symlinkat(target, parent, $0) } } }
        case .makeDirectory(let path): _ = try requireRoot().locateOrCreate(path, kind: .directory)
        case .maskPath(let path): try mask(path)
        case .readOnlyPath(let path): try makeReadOnly(path)
        case .pivotRoot: try pivotRoot()
        case .makeRootReadOnly:
            try call { CLinux_mount_setattr(AT_FDCWD, "/", 0, CLinux_MOUNT_ATTR_RDONLY, 0, 0) }
        case .resourceLimit(let resource, let soft, let hard):
            try call { CLinux_prlimit(0, Int32(bitPattern: resource), soft, hard) }
        case .outOfMemoryScore(let score): try setOutOfMemoryScore(score)
        case .awaitRelease: try awaitRelease()
        case .boundingCapabilities(let mask): try dropBoundingCapabilities(keeping: mask)
        case .supplementaryGroups(let groups): try call { CLinux_setgroups(groups, groups.count) }
        case .groupID(let identifier): try call { CLinux_setresgid(identifier) }
        case .userID(let identifier):
            try call { CLinux_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) }
            try call { CLinux_setresuid(identifier) }
        case .capabilities(let effective, let permitted, let inheritable):
            try call { CLinux_capset(effective, permitted, inheritable) }
        case .noNewPrivileges: try call { CLinux_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
        case .seccompFilter(let program): try installFilter(program)
        case .workingDirectory(let path): try changeDirectory(path)
        case .parentDeathSignal: try call { CLinux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0) }
        case .closeDescriptors: try closeDescriptors()
        case .execute(let candidates, let arguments, let environment):
            try execute(candidates, arguments, environment)
        case .openUserNamespace(let path):
            userNamespace = try call { path.withPointer { CLinux_open($0, O_RDONLY | O_CLOEXEC, 0) } }
        case .openOverlayRoot(let lower, let upper, let work, let target, let mapsIDs):
            try openOverlay(lower: lower, upper: upper, work: work, target: target, mapsIDs: mapsIDs)
        case .openBind(let bind, let forbidsLinks, let mapsIDs):
            try open(bind, forbidsLinks: forbidsLinks, mapsIDs: mapsIDs)
        case .ownStandardStreams(let userID): try ownStandardStreams(userID)
        case .becomeInit: try becomeInit()
        case .attachRoot(let target): try attachRoot(target)
        case .attachBind: try attachNextBind()
        case .bindDevice(let path, let major, let minor): try bindDevice(path, major, minor)
        case .setHostName(let name):
            try call { name.withPointer { CLinux_sethostname($0, name.text.count) } }
        case .appArmorProfile(let name): try setAppArmorProfile(name)
        case .openTerminal: try openTerminal()
        case .keepInput: break
        }
    }

    /// The root, lent as a raw descriptor in a view that does not close it.
    borrowing func requireRoot() throws(SystemError) -> RootDirectory {
        guard rootDescriptor >= 0 else { throw SystemError(EINVAL) }
        return RootDirectory(owning: try call { CLinux_fcntl_int(rootDescriptor, F_DUPFD_CLOEXEC, 0) })
    }

    private var rootDescriptor: Int32 {
        switch root {
        case .some(let root): root.raw
        case .none: -1
        }
    }

    // MARK: Mounts

    private mutating func mountOverlay(
        lower: [CString], upper: CString, work: CString, target: CString
    ) throws(SystemError) {
        var options = OverlayOptions(upper: upper, work: work)
        for directory in lower { options.addLower(directory) }
        // One page is all that mount(2) takes: with more layers than fit, descriptors are shorter than paths.
        if options.text.count > 4000 {
            options = OverlayOptions(upper: upper, work: work)
            for directory in lower {
                let descriptor = try call { directory.withPointer { CLinux_open($0, O_PATH | O_CLOEXEC, 0) } }
                options.addLower(descriptor: descriptor)
            }
        }
        guard let data = CString(options.text) else { throw SystemError(EINVAL) }
        try call {
            target.withPointer { target in
                data.withPointer { mount("overlay", target, "overlay", 0, UnsafeRawPointer($0)) }
            }
        }
        root = RootDirectory(
            owning: try call { target.withPointer { CLinux_open($0, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) } })
    }

    /// A detached mount of a new file system.
    private func newMount(
        type: CString, attributes: UInt64, options: [MountOption]
    ) throws(SystemError) -> Descriptor {
        let context = Descriptor(owning: try call { type.withPointer { CLinux_fsopen($0, CLinux_FSOPEN_CLOEXEC) } })
        for option in options {
            if let value = option.value {
                try call {
                    option.key.withPointer { key in
                        value.withPointer { CLinux_fsconfig(context.raw, CLinux_FSCONFIG_SET_STRING, key, $0, 0) }
                    }
                }
            } else {
                try call {
                    option.key.withPointer { CLinux_fsconfig(context.raw, CLinux_FSCONFIG_SET_FLAG, $0, nil, 0) }
                }
            }
        }
        try call { CLinux_fsconfig(context.raw, CLinux_FSCONFIG_CMD_CREATE, nil, nil, 0) }
        return Descriptor(
            owning: try call { CLinux_fsmount(context.raw, CLinux_FSMOUNT_CLOEXEC, UInt32(attributes)) })
    }

    func attach(_ tree: borrowing Descriptor, to target: borrowing Descriptor) throws(SystemError) {
        let flags = CLinux_MOVE_MOUNT_F_EMPTY_PATH | CLinux_MOVE_MOUNT_T_EMPTY_PATH
        let (from, to) = (tree.raw, target.raw)
        try call { CLinux_move_mount(from, "", to, "", flags) }
    }

    private func mountNew(
        type: CString, target: CString, attributes: UInt64, options: [MountOption]
    ) throws(SystemError) {
        let directory = try requireRoot().locateOrCreate(target, kind: .directory, ordinary: true)
        if lentProc >= 0, type == CString(terminated: "proc") {
            let tree = Descriptor(owning: try call { CLinux_fcntl_int(lentProc, F_DUPFD_CLOEXEC, 0) })
            try setAttributes(of: tree, attributes, propagation: 0)
            try attach(tree, to: directory)
            return
        }
        try attach(try newMount(type: type, attributes: attributes, options: options), to: directory)
    }

    private mutating func share(_ source: CString, forbidsLinks: Bool) throws(SystemError) {
        sharedSources.append((source, try copyTree(of: source, forbidsLinks: forbidsLinks).release()))
    }

    private func copyTree(of source: CString, forbidsLinks: Bool) throws(SystemError) -> Descriptor {
        let flags = UInt64(UInt32(bitPattern: O_PATH | O_CLOEXEC))
        let resolve = forbidsLinks ? CLinux_RESOLVE_NO_SYMLINKS : 0
        let place = Descriptor(
            owning: try call { source.withPointer { CLinux_openat2(AT_FDCWD, $0, flags, 0, resolve) } })
        return try cloneTree(place.raw, recursive: true)
    }

    /// The source's mounts: those held since they were shared with the host, once, or new copies.
    mutating func takeTree(of source: CString, forbidsLinks: Bool) throws(SystemError) -> Descriptor {
        if let index = sharedSources.firstIndex(where: { $0.source == source }) {
            return Descriptor(owning: sharedSources.remove(at: index).tree)
        }
        return try copyTree(of: source, forbidsLinks: forbidsLinks)
    }

    private mutating func carryOut(_ bind: BindMount, forbidsLinks: Bool = false) throws(SystemError) {
        let tree = try takeTree(of: bind.source, forbidsLinks: forbidsLinks)
        try setAttributes(of: tree, bind)
        try attach(tree, to: try requireRoot().locateOrCreate(bind.target, kind: bind.kind))
    }

    func setAttributes(of tree: borrowing Descriptor, _ bind: BindMount) throws(SystemError) {
        try setAttributes(of: tree, bind.attributes, propagation: bind.propagation)
        if bind.topAttributes == 0 { return }
        let raw = tree.raw
        try call { CLinux_mount_setattr(raw, "", CLinux_AT_EMPTY_PATH, bind.topAttributes, 0, 0) }
    }

    private func setAttributes(
        of tree: borrowing Descriptor, _ attributes: UInt64, propagation: UInt64
    ) throws(SystemError) {
        if attributes == 0, propagation == 0 { return }
        let raw = tree.raw
        try call {
            CLinux_mount_setattr(raw, "", CLinux_AT_EMPTY_PATH | CLinux_AT_RECURSIVE, attributes, 0, propagation)
        }
    }

    private func changeOwner(of path: CString, _ user: UInt32, _ group: UInt32) throws(SystemError) {
        let (parent, name) = try requireRoot().parent(of: path)
        defer { close(parent) }
        try call { name.withPointer { fchownat(parent, $0, user, group, AT_SYMLINK_NOFOLLOW) } }
    }

    private mutating func mask(_ path: CString) throws(SystemError) {
        guard let target = try locateExisting(path) else { return }
        var status = stat()
        let raw = target.raw
        try call { fstat(raw, &status) }
        if status.st_mode & CLinux_st_mode_format() == S_IFDIR {
            let attributes =
                CLinux_MOUNT_ATTR_RDONLY | CLinux_MOUNT_ATTR_NOSUID | CLinux_MOUNT_ATTR_NODEV | CLinux_MOUNT_ATTR_NOEXEC
            if emptyDirectory < 0 {
                // Attached first, then cloned: before Linux 6.15 a detached mount cannot be cloned.
                let tree = try newMount(type: CString(terminated: "tmpfs"), attributes: attributes, options: [])
                try attach(tree, to: target)
                emptyDirectory = tree.release()
            } else {
                try attach(try cloneTree(emptyDirectory), to: target)
            }
        } else {
            let null = Descriptor(owning: try call { CLinux_open("/dev/null", O_PATH | O_CLOEXEC, 0) })
            let nullDescriptor = null.raw
            try call { fstat(nullDescriptor, &status) }
            guard status.st_rdev == CLinux_makedev(1, 3) else { throw SystemError(EINVAL) }
            try attach(try cloneTree(nullDescriptor), to: target)
        }
    }

    private func makeReadOnly(_ path: CString) throws(SystemError) {
        guard let target = try locateExisting(path) else { return }
        let tree = try cloneTree(target.raw, recursive: true)
        try setAttributes(of: tree, CLinux_MOUNT_ATTR_RDONLY, propagation: 0)
        try attach(tree, to: target)
    }

    func cloneTree(_ descriptor: Int32, recursive: Bool = false) throws(SystemError) -> Descriptor {
        var flags = CLinux_OPEN_TREE_CLONE | CLinux_OPEN_TREE_CLOEXEC | CLinux_AT_EMPTY_PATH
        if recursive { flags |= CLinux_AT_RECURSIVE }
        return Descriptor(owning: try call { CLinux_open_tree(descriptor, "", flags) })
    }

    private func locateExisting(_ path: CString) throws(SystemError) -> Descriptor? {
        do { return try requireRoot().locate(path) } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error
        }
    }

    private mutating func pivotRoot() throws(SystemError) {
        let raw = rootDescriptor
        try call { fchdir(raw) }
        try call { CLinux_pivot_root(".", ".") }
        // The old root is now stacked under the new one at "."; detaching it leaves nothing of the host's.
        try call { umount2(".", Int32(MNT_DETACH)) }
        try call { chdir("/") }
    }

    // MARK: The process

    private func overwrite(_ path: CString, _ bytes: [UInt8]) throws(SystemError) {
        let file = Descriptor(owning: try call { path.withPointer { CLinux_open($0, O_WRONLY | O_CLOEXEC, 0) } })
        try writeAll(file.raw, bytes)
    }

    /// Closed, not only marked: what follows (a working directory of `/proc/self/fd/N`) must not find any. The report socket
    /// lives until execve proves itself by closing it.
    private func closeDescriptors() throws(SystemError) {
        let report = UInt32(bitPattern: self.report)
        if report > 3 { try call { CLinux_close_range(3, report - 1, 0) } }
        try call { CLinux_close_range(report + 1, UInt32.max, 0) }
    }

    private func setOutOfMemoryScore(_ score: Int32) throws(SystemError) {
        do { try overwrite(CString(terminated: "/proc/self/oom_score_adj"), decimal(score)) } catch {
            if error.errno != EACCES, error.errno != EPERM { throw error }
        }
    }

    private func awaitRelease() throws(SystemError) {
        var byte = UInt8(ascii: "R")
        try call { send(report, &byte, 1, Int32(MSG_NOSIGNAL)) }
        // The monitor is gone: nobody will ever watch this container.
        if try call({ recv(report, &byte, 1, 0) }) == 0 { _exit(1) }
    }

    private func dropBoundingCapabilities(keeping mask: UInt64) throws(SystemError) {
        var capability: UInt = 0
        while capability < 64 {
            if mask & (1 << UInt64(capability)) == 0, CLinux_prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 {
                let error = SystemError.last
                // Beyond the last capability that this kernel knows.
                if error.errno == EINVAL { return }
                throw error
            }
            capability += 1
        }
    }

    private func installFilter(_ program: [UInt8]) throws(SystemError) {
        let instructionSize = 8
        guard !program.isEmpty, program.count % instructionSize == 0, program.count / instructionSize <= 65535 else {
            throw SystemError(EINVAL)
        }
        try call {
            program.withUnsafeBytes {
                CLinux_seccomp_filter($0.baseAddress, UInt16($0.count / instructionSize), 0)
            }
        }
    }

    private func changeDirectory(_ path: CString) throws(SystemError) {
        try call { path.withPointer { chdir($0) } }
        // The raw call answers "(unreachable)…" for a directory outside the root; libc's getcwd hides that.
        var buffer = [UInt8](repeating: 0, count: 4096)
        try call { buffer.withUnsafeMutableBytes { CLinux_getcwd($0.baseAddress, $0.count) } }
        if buffer[0] != 0x2F { throw SystemError(EXDEV) }
    }

    private func execute(
        _ candidates: [CString], _ arguments: [CString], _ environment: [CString]
    ) throws(SystemError) {
        let arguments = pointers(arguments)
        let environment = pointers(environment)
        var failure = SystemError(ENOENT)
        // What programs expect to start with, whatever the agent's is.
        umask(0o022)
        for candidate in candidates {
            _ = candidate.withPointer { execve($0, arguments, environment) }
            let error = SystemError.last
            // As a shell does: a later directory may have it; but "found and not allowed" is what the user wants to hear.
            if error.errno == EACCES {
                failure = error
            } else if error.errno != ENOENT, error.errno != ENOTDIR {
                throw error
            }
        }
        throw failure
    }

    /// NULL-terminated, and never freed: execve or exit follows.
    private func pointers(_ strings: [CString]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        let array = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for index in strings.indices {
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: strings[index].bytes.count)
            for position in strings[index].bytes.indices {
                copy[position] = CChar(bitPattern: strings[index].bytes[position])
            }
            array[index] = copy
        }
        array[strings.count] = nil
        return array
    }
}

/// `value` in decimal digits.
func decimal(_ value: Int32) -> [UInt8] {
    var digits: [UInt8] = []
    var rest = value.magnitude
    repeat {
        digits.append(UInt8(0x30 + rest % 10))
        rest /= 10
    } while rest > 0
    if value < 0 { digits.append(0x2D) }
    digits.reverse()
    return digits
}
